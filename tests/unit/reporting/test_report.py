"""report.yaml names only what exists: marts, columns, calculated fields, pages of the dashboard."""

import re

import pytest

from csat.contract.settings import ROOT
from csat.dashboard.views import PAGES
from csat.reporting.report import Chart, exposed_marts, mart_columns, report

CHARTS = report().charts


def columns_of(chart: Chart) -> set[str]:
    """The columns of a chart's mart."""
    return set(mart_columns(report().sources[chart.source].mart))


def test_sources_are_marts_that_the_exposure_names_and_have_their_date() -> None:
    for source in report().sources.values():
        assert source.mart in exposed_marts()
        assert mart_columns(source.mart)[source.date] == "date"
    assert report().plain in report().sources


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.id)
def test_a_chart_is_made_of_columns_and_calculated_fields(chart: Chart) -> None:
    columns = columns_of(chart)
    fields = report().fields
    assert {name for name in [*chart.dimensions, *chart.metrics] if name not in fields} <= columns
    for name in chart.metrics:
        if name in fields:
            used = set(re.findall(r"[a-z]\w+", fields[name].formula))
            assert used
            assert used <= columns
    filtered = {part.split()[0] for part in chart.filter.split(", ") if " is " in part or " = " in part}
    assert filtered <= columns
    assert set(chart.controls) - {"date range"} <= columns
    assert chart.sort.split()[0] in {*chart.dimensions, *chart.metrics} if chart.sort else chart.kind == "scorecard"


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.id)
def test_a_check_queries_the_mart_of_its_chart(chart: Chart) -> None:
    assert chart.query.tables("marts") == {report().sources[chart.source].mart}
    assert " as figure\n" in chart.check or " as figure " in chart.check
    assert chart.dashboard.page in {page.path.replace("-", "_") for page in PAGES}


def test_the_guide_names_every_chart_and_field() -> None:
    guide = (ROOT / "docs" / "dashboard.md").read_text()
    assert [chart.id for chart in CHARTS if f"`{chart.id}`" not in guide] == []
    assert [field.formula for field in report().fields.values() if field.formula not in guide] == []
    assert [alias for alias in report().sources if f"`{alias}`" not in guide] == []
