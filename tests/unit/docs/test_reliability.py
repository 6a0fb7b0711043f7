"""docs/reliability.md says what the platform does about each fault of the chaos run."""

from csat.contract.settings import ROOT
from tests.chaos.faults import expected_table
from tools.bench.results import fill_in


def test_the_table_of_expected_outcomes_is_that_of_the_faults() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text()
    assert fill_in(text, {"expected": expected_table()}) == text, f"put between the markers:\n{expected_table()}"
