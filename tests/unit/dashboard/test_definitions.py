import pytest
import yaml

from csat.settings import ROOT
from dashboard.definitions import DefinitionsError, definition, variables
from dashboard.views import PAGES


def test_variables_are_those_of_dbt() -> None:
    found, project = variables(), yaml.safe_load((ROOT / "dbt" / "dbt_project.yml").read_text())["vars"]
    names = ("z", "prior_answers", "minimum_answers", "minimum_comparison_answers")
    assert [getattr(found, name) for name in names] == [project[name] for name in names]
    assert found.window_days == {window["id"]: window["days"] for window in project["windows"]}


def test_definition_is_dbts_own_sentence() -> None:
    assert definition("csat_rate") == "CSAT: answers of 4 or 5 ÷ all answers."


def test_definition_names_what_is_not_described() -> None:
    with pytest.raises(DefinitionsError, match="does not describe no_such_column: add a docs block"):
        definition("no_such_column")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_every_term_of_a_page_is_described(page) -> None:
    assert page.terms
    assert all(definition(column) for column in page.terms.values())
