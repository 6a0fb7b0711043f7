"""A chart's template is made once, and what its points need goes into a copy."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from csat.dashboard import axes, charts
from csat.dashboard.palette import DARK, LIGHT, palette
from csat.reporting.series import Grain, Parts, chart_span, points, time_points

START = datetime(2026, 8, 3, tzinfo=UTC)  # a Monday
LENGTHS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}


def rows(grain: Grain, count: int, part: str = "") -> list[dict[str, Any]]:
    return [
        {
            "bucket": START + number * LENGTHS[grain],
            "part": part,
            "response_count": 10,
            "satisfied_count": 8,
            "median_first_reply_minutes": 12.5,
            "p90_first_reply_minutes": 90.0,
        }
        for number in range(count)
    ]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, dict[str, Any]]]:
    """The table and the specification of every chart that was put on the page."""
    seen: list[tuple[Any, dict[str, Any]]] = []
    monkeypatch.setattr("csat.dashboard.charts.st.vega_lite_chart", lambda table, spec, alt: seen.append((table, spec)))
    return seen


def test_a_template_is_made_once_per_grain_parts_and_theme(monkeypatch: pytest.MonkeyPatch) -> None:
    first = charts.rates(points(rows("day", 3)), "day")
    assert charts.rates(points(rows("day", 9)), "day").template is first.template
    assert charts.rates(points(rows("hour", 3)), "hour").template is not first.template
    named = points(rows("day", 3, "Email"), parts=Parts(("Email",)))
    assert charts.rates(named, "day", Parts(("Email",))).template is not first.template
    assert palette() is LIGHT
    monkeypatch.setattr(charts, "palette", lambda: DARK)
    dark = charts.rates(points(rows("day", 3)), "day")
    assert DARK.satisfied in str(dark.template.spec)
    assert DARK.satisfied not in str(first.template.spec)


def test_a_chart_gets_only_the_fields_that_it_uses(drawn: list[tuple[Any, dict[str, Any]]]) -> None:
    charts.draw(charts.volume(points(rows("day", 2)), "day"), "")
    charts.draw(charts.first_reply_times(time_points(rows("day", 2), "day"), "day"), "")
    names = [set(table.column_names) for table, _ in drawn]
    assert names[0] == {"at", "end", "label", "part", "partial", "responses", "bottom", "top"}
    assert names[1] == {"at", "label", "part", "median", "p90", "median_drawn", "p90_drawn"}
    assert [table.num_rows for table, _ in drawn] == [2, 2]


def test_weeks_have_their_ticks_on_mondays_of_these_points(drawn: list[tuple[Any, dict[str, Any]]]) -> None:
    for count in (3, 20):
        charts.draw(charts.rates(points(rows("week", count), "week"), "week"), "")
    ticks = [
        [
            date(tick["year"], tick["month"], tick["date"])
            for tick in spec["layer"][-1]["encoding"]["x"]["axis"]["values"]
        ]
        for _, spec in drawn
    ]
    assert ticks[0] == [date(2026, 8, 3), date(2026, 8, 10), date(2026, 8, 17)]
    assert ticks[1] == [date(2026, 8, 3) + timedelta(weeks=number) for number in range(0, 20, 3)]


def test_ranks_are_drawn_between_two_dates(drawn: list[tuple[Any, dict[str, Any]]]) -> None:
    ranks = [{"at": "2026-08-04T00:00:00+00:00", "label": "4 Aug 2026", "rank": 2}]
    charts.draw(charts.ranks(ranks, date(2026, 8, 3), date(2026, 8, 9)), "")
    [(_, spec)] = drawn
    domain = spec["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert [(end["year"], end["month"], end["date"]) for end in domain] == [(2026, 8, 3), (2026, 8, 9)]
    assert (
        charts.ranks(ranks, date(2026, 1, 1), date(2026, 1, 2)).template
        is charts.ranks(ranks, *2 * [date.min]).template
    )


@pytest.mark.parametrize(("count", "is_on_a_canvas"), [(120, False), (121, True)])
def test_many_points_are_on_a_canvas(drawn: list[tuple[Any, dict[str, Any]]], count: int, is_on_a_canvas: bool) -> None:
    charts.draw(charts.volume(points(rows("hour", count), "hour"), "hour"), "")
    [(_, spec)] = drawn
    assert ("usermeta" in spec) is is_on_a_canvas
    assert ("mark" in spec["config"]) is is_on_a_canvas


BOTH = Parts(("Email", "Inbound"))
BUILT = [{"at": "2026-08-03T10:00:00+00:00", "label": "3 Aug", "seconds": 12.0}]
RANKED = [{"at": "2026-08-04T00:00:00+00:00", "label": "4 Aug 2026", "rank": 2}]
ALL_CHARTS = {
    "volume": lambda: charts.volume(points(rows("day", 3)), "day"),
    "volume of parts": lambda: charts.volume(points(rows("day", 3, "Email"), parts=BOTH), "day", BOTH),
    "rates": lambda: charts.rates(points(rows("day", 3)), "day"),
    "rates of parts": lambda: charts.rates(points(rows("day", 3, "Email"), parts=BOTH), "day", BOTH),
    "first reply times": lambda: charts.first_reply_times(time_points(rows("day", 3), "day"), "day"),
    "ranks": lambda: charts.ranks(RANKED, date(2026, 8, 3), date(2026, 8, 9)),
    "build times": lambda: charts.build_times(BUILT),
}


@pytest.mark.parametrize("name", ALL_CHARTS)
def test_a_chart_has_one_tooltip_for_all_of_its_marks(name: str) -> None:
    """A mark without one of its own would show its raw values."""
    layers = ALL_CHARTS[name]().template.spec["layer"]
    silent = [layer for layer in layers if layer["mark"].get("tooltip", ...) is None]
    speaking = [layer for layer in layers if "tooltip" in layer["encoding"]]
    assert len(speaking) == (2 if name == "volume of parts" else 1)  # above the parts of a bar: their total
    assert all(layer in silent or layer in speaking for layer in layers)
    figures = [field for layer in speaking for field in layer["encoding"]["tooltip"] if field["type"] == "quantitative"]
    assert figures
    assert all("format" in field for field in figures)


def test_the_column_of_a_stacked_bar_names_the_total(drawn: list[tuple[Any, dict[str, Any]]]) -> None:
    both = [*rows("day", 2, "Email"), *rows("day", 2, "Inbound")]
    charts.draw(charts.volume(points(both, parts=BOTH), "day", BOTH), "")
    [(table, _)] = drawn
    assert table.column("total").to_pylist() == [20, 20, 20, 20]


def test_a_bucket_that_is_not_over_is_drawn_and_named_as_such(drawn: list[tuple[Any, dict[str, Any]]]) -> None:
    noon = START + timedelta(days=2, hours=12)
    chart = charts.volume(points(rows("day", 3), until=noon), "day")
    charts.draw(chart, "")
    [(table, spec)] = drawn
    assert table.column("partial").to_pylist() == [False, False, True]
    assert table.column("label").to_pylist()[1:] == ["4 Aug 2026", "5 Aug 2026, so far"]
    assert spec["layer"][0]["encoding"]["opacity"]["condition"] == {"test": "datum.partial", "value": 0.45}
    assert chart.note == "The faint bar is of the day that is not over."
    assert charts.volume(points(rows("day", 3), until=START + timedelta(days=3)), "day").note == ""


@pytest.mark.parametrize("grain", ["hour", "day"])
def test_no_tick_is_beyond_the_last_bucket(drawn: list[tuple[Any, dict[str, Any]]], grain: Grain) -> None:
    charts.draw(charts.volume(points(rows(grain, 3), grain), grain, span=(START.date(), date(2026, 8, 6))), "")
    axis = drawn[0][1]["layer"][0]["encoding"]["x"]
    days, hours = ((3, 3, 3), (0, 1, 2)) if grain == "hour" else ((3, 4, 5), (0, 0, 0))
    found = [(tick["date"], tick["hours"]) for tick in axis["axis"]["values"]]
    assert found == list(zip(days, hours, strict=True))
    assert [end["date"] for end in axis["scale"]["domain"]] == [3, 6]


def counted(responses: int, satisfied: int, part: str = "") -> dict[str, Any]:
    return {"bucket": START, "part": part, "response_count": responses, "satisfied_count": satisfied}


def test_one_response_does_not_fill_a_chart() -> None:
    assert charts.volume(points([counted(1, 1)]), "day").domain == (0, 5)
    assert charts.volume(points([counted(5, 1)]), "day").domain is None


def test_one_response_does_not_stretch_the_scale(drawn: list[tuple[Any, dict[str, Any]]]) -> None:
    both = Parts(("Inbound", "Email"))
    chart = charts.rates(points([counted(100, 80, "Inbound"), counted(1, 0, "Email")], parts=both), "day", both)
    assert chart.domain == pytest.approx((0.79, 0.81))
    assert chart.note == "1 of these rates, of few responses each, is outside the scale."
    charts.draw(chart, "")
    layers = drawn[0][1]["layer"]
    assert all(layer["encoding"]["y"]["scale"]["domain"] == list(chart.domain or ()) for layer in layers)
    assert all(layer["mark"]["clip"] for layer in layers)


def test_few_responses_have_a_scale_where_there_are_no_others() -> None:
    assert charts.rates(points([counted(1, 0)]), "day").domain is None
    assert axes.outside(points([counted(1, 0)]), None) == 0


def test_the_axis_of_a_range_ends_with_its_last_bucket() -> None:
    wednesday, friday = date(2026, 8, 5), date(2026, 8, 7)
    assert chart_span(wednesday, friday, "day") == (wednesday, date(2026, 8, 8))
    assert chart_span(wednesday, friday, "week") == (date(2026, 8, 3), date(2026, 8, 10))
