"""Every page on the real emulator: its figures are a recount of the rows that landed."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard.figures import Tally, wilson_interval
from tests.integration.board.conftest import Seen
from tests.integration.marts.conftest import Marts

pytestmark = pytest.mark.integration

OpenPage = Callable[..., Seen]
Landed = list[dict[str, Any]]


@pytest.fixture(scope="module")
def landed(marts: Marts) -> Landed:
    """The rows that landed, with the day of their answer."""
    return [row | {"day": datetime.fromisoformat(row["survey_answered_at"]).date()} for row in marts.landed]


def last_days(landed: Landed, days: int, before: int = 0) -> Landed:
    last = max(row["day"] for row in landed) - timedelta(days=before)
    return [row for row in landed if last - timedelta(days=days - 1) <= row["day"] <= last]


def rate(rows: Landed) -> str:
    return f"{sum(row['csat_score'] >= 4 for row in rows) / len(rows):.1%}".replace("%", " %")


def test_overview_counts_what_landed(page: OpenPage, landed: Landed) -> None:
    cards = page("overview").cards
    window, before = last_days(landed, 28), last_days(landed, 28, before=28)
    unhappy = sum(row["csat_score"] < 4 for row in window)
    assert cards["CSAT, 28 days"][0] == rate(window)
    assert cards["Unhappy answers"] == (
        f"{unhappy:,}",
        f"{unhappy / len(window):.1%} of {len(window):,} answers".replace("%", " %"),
        f"{sum(row['csat_score'] < 4 for row in before):,} in the window before",
    )
    today = datetime.now(UTC).date()
    assert cards["Answers today"][0] == f"{sum(row['day'] == today for row in landed):,}"


def test_overview_tells_the_interval_and_the_change(page: OpenPage, landed: Landed) -> None:
    notes = page("overview", window="7d").cards["CSAT, 7 days"]
    window, before = last_days(landed, 7), last_days(landed, 7, before=7)
    tally = Tally(len(window), sum(row["csat_score"] >= 4 for row in window))
    interval = wilson_interval(tally)
    assert interval is not None
    assert notes[1] == f"95 % interval {100 * interval.low:.1f}–{100 * interval.high:.1f} %"
    old = sum(row["csat_score"] >= 4 for row in before) / len(before)
    moved = 100 * ((tally.csat_rate or 0) - old)
    assert notes[2].startswith(f"{'+' if moved > 0 else '−'}{abs(moved):.1f} points on the 7 days before (")


def test_overview_gives_the_three_answers_in_small(page: OpenPage, landed: Landed) -> None:
    seen = page("overview")
    categories = Counter(row["category"] for row in last_days(landed, 28)).most_common(5)
    assert [row[:2] for row in seen.table("The 5 most common categories")] == [
        [name, f"{count:,}"] for name, count in categories
    ]
    assert len(seen.table("The 5 best agents")) == 5
    assert len(seen.app.get("arrow_vega_lite_chart")) + len(seen.app.get("vega_lite_chart")) == 2


def test_leaderboard_shows_the_marts_ranks_with_count_and_interval(page: OpenPage, marts: Marts) -> None:
    rows = page("agents").table("Ranked agents")
    [first] = marts.execute(
        "select * from `{table}` where window_id = '28d' and leaderboard_rank = 1 "
        "and leaderboard_date = (select max(leaderboard_date) from `{table}`)",
        "marts",
        "agent_leaderboard",
    )
    assert rows[0][0].splitlines()[0] == "1"
    assert rows[0][1].splitlines()[0] == first["agent_name"]
    assert rows[0][2] == str(first["answer_count"])
    low, high = (f"{100 * first[name]:.1f}" for name in ("wilson_low", "wilson_high"))
    assert rows[0][3] == f"{first['csat_rate']:.1%}\n{low}–{high} %".replace("%\n", " %\n")
    assert len(rows) == 25


def test_agents_with_few_answers_are_listed_with_what_is_missing(page: OpenPage, landed: Landed) -> None:
    counts = Counter(row["agent_id"] for row in last_days(landed, 7))
    few = {agent: 20 - count for agent, count in counts.items() if count < 20}
    rows = page("agents", window="7d", list="Not yet ranked").table("Not yet ranked agents")
    assert rows
    assert [row[1] for row in rows] == [f"{missing} more" for missing in sorted(few.values())][:25]


def test_filters_in_the_url_choose_the_agents(page: OpenPage, landed: Landed) -> None:
    someone = landed[-1]
    name = someone["agent_name"]
    rows = page("agents", window="all", search=name[1:5].upper()).table("Ranked agents")
    assert name in [row[1].splitlines()[0] for row in rows]
    team = page("agents", window="all", team=someone["supervisor_name"]).table("Ranked agents")
    assert {row[1].splitlines()[1].split(" · ")[0] for row in team} == {someone["supervisor_name"]}


def test_filters_that_nobody_fits_say_so(page: OpenPage) -> None:
    assert [info.value for info in page("agents", search="nobody at all").app.info] == ["No agent fits the filters."]


def test_agent_has_a_page_with_history_and_cases(page: OpenPage, landed: Landed) -> None:
    own = [row for row in last_days(landed, 28) if row["agent_id"] == "agent-0001"]
    seen = page("agents", agent="agent-0001")
    assert f"<h2>{own[0]['agent_name']}</h2>" in seen.html
    assert seen.cards["Answers"][0] == str(len(own))
    assert seen.cards["CSAT"][0] == rate(own)
    cases = seen.table("The agent's answers by category")
    assert sum(int(row[1]) for row in cases) == len(own)
    assert len(seen.app.get("arrow_vega_lite_chart")) + len(seen.app.get("vega_lite_chart")) == 2


def test_an_agent_that_is_not_there_is_told_as_text(page: OpenPage) -> None:
    html = page("agents", agent="![](http://example.com/x.png)").html
    assert "No agent has the id ![](http://example.com/x.png)." in html


def test_page_is_fresh_or_stale_by_the_promise(page: OpenPage, marts: Marts, use_settings: Any) -> None:
    assert "badge-fresh" in page("overview").html
    use_settings(marts.settings.model_copy(update={"freshness_minutes": 0.001}))
    stale = page("overview").html
    assert "badge-stale" in stale
    assert "Promised are 0.001 min" in stale


def test_board_says_so_before_the_first_build(page: OpenPage, marts: Marts, use_settings: Any) -> None:
    use_settings(marts.settings.model_copy(update={"dataset_prefix": "nothing"}))
    seen = page("overview")
    assert "No figures yet." in seen.app.info[0].value
    assert "badge-empty" in seen.html


def test_board_says_so_when_the_warehouse_is_away(page: OpenPage, marts: Marts, use_settings: Any) -> None:
    use_settings(marts.settings.model_copy(update={"bigquery_endpoint": "http://127.0.0.1:1"}))
    seen = page("overview")
    assert "The warehouse does not answer." in seen.app.info[0].value
    assert "`csat status`" in seen.app.info[0].value
    assert "badge-away" in seen.html
