import yaml

from csat.contract.settings import ROOT
from csat.reporting.definitions import variables


def test_variables_are_those_of_dbt() -> None:
    found, project = variables(), yaml.safe_load((ROOT / "dbt" / "dbt_project.yml").read_text())["vars"]
    names = ("z", "prior_responses", "minimum_responses", "minimum_comparison_responses")
    assert [getattr(found, name) for name in names] == [project[name] for name in names]
    assert round(found.chance, 4) == 0.05  # two-sided, at 1.96 standard deviations
    assert found.window_days == {window["id"]: window["days"] for window in project["windows"]}
