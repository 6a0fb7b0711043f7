import pytest

from dashboard.definitions import DefinitionsError, definition, variables
from dashboard.views import PAGES


def test_variables_are_those_of_dbt() -> None:
    found = variables()
    assert (found.z, found.prior_answers, found.minimum_answers) == (1.96, 25, 20)
    assert list(found.window_days.items()) == [("7d", 7), ("28d", 28)]


def test_definition_is_dbts_own_sentence() -> None:
    assert definition("csat_rate") == "CSAT: answers of 4 or 5 ÷ all answers."


def test_definition_names_what_is_not_described() -> None:
    with pytest.raises(DefinitionsError, match="does not describe no_such_column: add a docs block"):
        definition("no_such_column")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_every_term_of_a_page_is_described(page) -> None:
    assert page.terms
    assert all(definition(column) for column in page.terms.values())
