import pytest
import yaml

from csat.contract.errors import CsatError
from csat.contract.settings import ROOT
from csat.dashboard.views import PAGES
from csat.reporting.definitions import definition, variables


def test_variables_are_those_of_dbt() -> None:
    found, project = variables(), yaml.safe_load((ROOT / "dbt" / "dbt_project.yml").read_text())["vars"]
    names = ("z", "prior_responses", "minimum_responses", "minimum_comparison_responses")
    assert [getattr(found, name) for name in names] == [project[name] for name in names]
    assert found.window_days == {window["id"]: window["days"] for window in project["windows"]}


def test_definition_is_dbts_description() -> None:
    assert definition("csat_rate") == "CSAT: responses with a score of 4 or 5 ÷ all responses."


def test_a_missing_definition_is_named() -> None:
    with pytest.raises(CsatError, match="does not describe no_such_column: add a docs block"):
        definition("no_such_column")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_every_term_of_a_page_is_described(page) -> None:
    assert page.terms or not page.needs_marts
    assert all(definition(column) for column in page.terms.values())
