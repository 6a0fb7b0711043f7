"""Over time on the real emulator: its figures equal a recount of the landed rows, and the server prefetches them."""

import statistics
from collections import Counter
from datetime import date, datetime, timedelta

import pytest

from csat.bigquery.query import Rows
from csat.dashboard.frame import Snapshot
from csat.dashboard.source import BoundQuery, State
from csat.dashboard.views import over_time
from csat.reporting import formats, queries
from tests.dashboard_page import OpenPage
from tests.integration.dashboard.conftest import Landed, last_days, rate
from tests.integration.marts.conftest import Marts

pytestmark = pytest.mark.integration


def test_over_time_counts_by_day_and_by_week(page: OpenPage, landed: Landed) -> None:
    window = last_days(landed, 28)
    seen = page("over_time")
    assert seen.cards["Responses"][0] == f"{len(window):,}"
    assert seen.cards["CSAT"][0] == rate(window)
    rows = seen.table("Responses over time")
    assert len(rows) == 28
    last = max(row["day"] for row in landed)
    assert rows[0][:2] == [f"{last.day} {last:%b %Y}", str(sum(row["day"] == last for row in landed))]
    monday = last - timedelta(days=last.weekday())
    weeks = page("over_time", grain="week").table("Responses over time")
    in_week = sum(row["day"] >= monday for row in window)
    assert weeks[0][:2] == [f"week of {monday.day} {monday:%b %Y}", f"{in_week:,}"]
    tuesday, sunday = monday - timedelta(days=6), monday - timedelta(days=1)
    cut = page("over_time", grain="week", since=str(tuesday), until=str(sunday)).app.caption
    assert "The first week is incomplete." in [caption.value for caption in cut]


def test_over_time_counts_a_few_days_by_hour_by_default(page: OpenPage, landed: Landed) -> None:
    last = max(row["day"] for row in landed)
    hours = Counter(row["survey_answered_at"][:13] for row in landed if row["day"] == last)
    by_hour = page("over_time", since=str(last)).table("Responses over time")
    assert [row[1] for row in by_hour] == [str(hours[hour]) for hour in sorted(hours, reverse=True)]
    [[name, count, *_]] = page("over_time", since=str(last), grain="day").table("Responses over time")
    assert (name, count) == (f"{last.day} {last:%b %Y}", str(sum(hours.values())))


def test_over_time_takes_any_range_channel_and_category(page: OpenPage, landed: Landed) -> None:
    last = max(row["day"] for row in landed)
    since, until = last - timedelta(days=20), last - timedelta(days=10)
    own = [
        row
        for row in landed
        if since <= row["day"] <= until and row["channel"] == "Inbound" and row["category"] == "Returns"
    ]
    filters = {"since": str(since), "until": str(until), "channel": "Inbound", "category": "Returns"}
    assert page("over_time", **filters).cards["Responses"][0] == f"{len(own):,}"
    assert "The range ends before it starts." in page("over_time", since=str(until), until=str(since)).html


def test_over_time_is_split_into_parts_that_add_up(page: OpenPage, landed: Landed) -> None:
    window = last_days(landed, 28)
    rows = page("over_time", split="By category", grain="week").table("Responses over time")
    assert len({row[1] for row in rows}) == 6
    assert sum(int(row[2].replace(",", "")) for row in rows) == len(window)
    by_channel = page("over_time", split="By channel", grain="week").table("Responses over time")
    found: Counter[str] = Counter()
    for row in by_channel:
        found[row[1]] += int(row[2].replace(",", ""))
    assert found == Counter(row["channel"] for row in window)


def test_first_reply_times_of_a_day_are_those_of_its_responses(page: OpenPage, landed: Landed) -> None:
    day = max(row["day"] for row in landed) - timedelta(days=3)
    minutes = []
    for row in landed:
        waited = datetime.fromisoformat(row["issue_responded_at"]) - datetime.fromisoformat(row["issue_reported_at"])
        if row["day"] == day and waited >= timedelta():
            minutes.append(waited.total_seconds() / 60)
    median, p90 = (statistics.quantiles(minutes, n=10, method="inclusive")[place] for place in (4, 8))
    cards = page("over_time", since=str(day), until=str(day)).cards
    expected = (formats.minutes(median), f"p90 {formats.minutes(p90)}")
    assert cards["Median first reply time"] == tuple(text.replace("\u202f", " ") for text in expected)


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"grain": "hour"},
        {"grain": "hour", "since": "FIRST"},
        {"since": "FIRST", "until": "LAST", "split": "By channel"},
        {"grain": "week", "channel": "Email", "category": "Returns"},
    ],
)
def test_over_time_prefetches_the_queries_that_it_runs(
    page: OpenPage, marts: Marts, filters: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, last = queries.mart_dates(marts.warehouse)
    days = {"FIRST": str(first), "LAST": str(last)}
    address = {name: days.get(value, value) for name, value in filters.items()}
    ran: list[BoundQuery] = []
    rows = Snapshot.rows

    def record(snapshot: Snapshot, *bound_queries: BoundQuery) -> list[Rows]:
        ran.extend(bound_queries)
        return rows(snapshot, *bound_queries)

    monkeypatch.setattr(Snapshot, "rows", record)
    page("over_time", **address)
    assert list(over_time.prefetch(State("v", first_date=first, last_date=last), address)) == ran


@pytest.mark.parametrize("filters", [{"since": "yesterday"}, {"grain": "year"}, {"until": "1999-01-01"}])
def test_invalid_filters_in_the_address_prefetch_no_series(filters: dict[str, str]) -> None:
    state = State("v", first_date=date(2026, 1, 1), last_date=date(2026, 11, 20))
    assert [bound.query for bound in over_time.prefetch(state, filters)] == [queries.CHOICES]
