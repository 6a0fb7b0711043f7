"""Every page on the real emulator: its figures equal a recount of the landed rows."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from csat.bigquery.tables import append_rows
from csat.contract.alerts import ALERTS, AlertKey
from csat.contract.settings import ROOT
from csat.reporting import formats, queries
from csat.reporting.figures import Tally, wilson_interval
from csat.reporting.report import report
from tests.dashboard_page import OpenPage, Seen
from tests.integration.dashboard.conftest import LIVE_RESPONSES, RESPONSES, Landed, last_days, rate
from tests.integration.marts.conftest import Marts

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def checked(marts: Marts) -> datetime:
    """When the last of three health checks ran; the stream was restarted an hour before."""
    now = datetime.now(UTC).replace(microsecond=0)
    hour = timedelta(hours=1)
    checks = [("1", now - 3 * hour, 0.0), ("2", now - hour, 2 * 3600.0), ("3", now, 3600.0)]
    rows: list[dict[str, Any]] = [
        check | {"check": "stream_uptime", "grade": "ok", "detail": "this run started 60 min ago", "value": age}
        for check, age in (({"check_id": name, "checked_at": at.isoformat()}, age) for name, at, age in checks)
    ]
    late = {"check": "marts_freshness", "grade": "warning", "detail": "rows are not in the marts", "value": 1.0}
    append_rows(marts.warehouse, "pipeline_health_checks", [*rows, rows[-1] | late])
    ended = {"alert_key": "stream_run_failed", "opened_at": now - hour, "text": "it was frozen"}
    alerts = [
        ended | {"notice_id": "1", "notified_at": now - hour, "status": "opened"},
        ended
        | {
            "notice_id": "2",
            "notified_at": now - hour + timedelta(minutes=5),
            "status": "recovered",
            "text": "healthy",
        },
        {"notice_id": "3", "alert_key": "marts_stale", "opened_at": now - timedelta(minutes=10), "text": "late"}
        | {"notified_at": now - timedelta(minutes=10), "status": "opened"},
    ]
    common = {"about": "", "severity": "warning"}
    plain = json.loads(json.dumps([common | row for row in alerts], default=lambda value: value.isoformat()))
    append_rows(marts.warehouse, "alerts", plain)
    return now


def by_volume(rows: Landed) -> list[tuple[str, int]]:
    """The categories with their number of responses, in the order of the mart: ties by name."""
    return sorted(Counter(row["category"] for row in rows).items(), key=lambda item: (-item[1], item[0]))


def test_overview_counts_what_landed(page: OpenPage, landed: Landed) -> None:
    cards = page("overview").cards
    window, before = last_days(landed, 28), last_days(landed, 28, before=28)
    dissatisfied = sum(row["csat_score"] < 4 for row in window)
    assert cards["CSAT, 28 days"][0] == rate(window)
    assert cards["Dissatisfied responses"] == (
        f"{dissatisfied:,}",
        f"{dissatisfied / len(window):.1%} of {len(window):,} responses".replace("%", " %"),
        f"{sum(row['csat_score'] < 4 for row in before) / len(before):.1%} in the previous period".replace("%", " %"),
    )
    today = datetime.now(UTC).date()
    assert cards["Responses today"][0] == f"{sum(row['day'] == today for row in landed):,}"


def test_overview_shows_the_interval_and_the_change(page: OpenPage, landed: Landed) -> None:
    notes = page("overview", window="7d").cards["CSAT, 7 days"]
    window, before = last_days(landed, 7), last_days(landed, 7, before=7)
    tally = Tally(len(window), sum(row["csat_score"] >= 4 for row in window))
    interval = wilson_interval(tally)
    assert interval is not None
    assert notes[1] == f"95 % interval {100 * interval.low:.1f}–{100 * interval.high:.1f} %"
    old = sum(row["csat_score"] >= 4 for row in before) / len(before)
    moved = 100 * ((tally.csat_rate or 0) - old)
    points = f"{moved:+.1f}".replace("-", "−").replace("+0.0", "0.0").replace("−0.0", "0.0")
    assert notes[2].startswith(f"{points} points vs. the previous 7 days (")


def test_overview_summarises_responses_agents_and_categories(page: OpenPage, landed: Landed) -> None:
    seen = page("overview")
    categories = by_volume(last_days(landed, 28))[:5]
    assert [row[:2] for row in seen.table("Top 5 categories")] == [[name, f"{count:,}"] for name, count in categories]
    assert len(seen.table("Top 5 agents")) == 5
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
    assert rows[0][2] == str(first["response_count"])
    low, high = (f"{100 * first[name]:.1f}" for name in ("wilson_low", "wilson_high"))
    assert rows[0][3] == f"{first['csat_rate']:.1%}\n{low}–{high} %".replace("%\n", " %\n")
    assert len(rows) == 25


def test_agents_with_few_responses_are_listed_with_the_number_needed(page: OpenPage, landed: Landed) -> None:
    counts = Counter(row["agent_id"] for row in last_days(landed, 7))
    few = {agent: 20 - count for agent, count in counts.items() if count < 20}
    rows = page("agents", window="7d", list="Not yet ranked").table("Not yet ranked agents")
    assert rows
    assert [row[1] for row in rows] == [f"{missing} more" for missing in sorted(few.values())][:25]


def test_filters_in_the_url_choose_the_agents(page: OpenPage, landed: Landed) -> None:
    someone = landed[RESPONSES - 1]
    name = someone["agent_name"]
    rows = page("agents", window="all", search=name[1:5].upper()).table("Ranked agents")
    assert name in [row[1].splitlines()[0] for row in rows]
    team = page("agents", window="all", team=someone["supervisor_name"]).table("Ranked agents")
    assert {row[1].splitlines()[1].split(" · ")[0] for row in team} == {someone["supervisor_name"]}


def test_filters_without_a_match_say_so(page: OpenPage) -> None:
    assert [info.value for info in page("agents", search="nobody at all").app.info] == ["No agent matches the filters."]


def test_agent_has_a_page_with_history_and_cases(page: OpenPage, landed: Landed) -> None:
    own = [row for row in last_days(landed, 28) if row["agent_id"] == "agent-0001"]
    seen = page("agents", agent="agent-0001")
    assert f"{own[0]['agent_name']}</bdi></h2>" in seen.html
    assert seen.cards["Responses"][0] == str(len(own))
    assert seen.cards["CSAT"][0] == rate(own)
    cases = seen.table("The agent's responses by category")
    assert sum(int(row[1]) for row in cases) == len(own)
    assert len(seen.app.get("arrow_vega_lite_chart")) + len(seen.app.get("vega_lite_chart")) == 2


def test_an_unknown_agent_id_is_shown_as_text(page: OpenPage) -> None:
    html = page("agents", agent="![](http://example.com/x.png)").html
    assert "No agent has the id ![](http://example.com/x.png)." in html


def test_page_is_fresh_or_stale_by_the_target(page: OpenPage, marts: Marts, use_settings: Any) -> None:
    assert "badge-fresh" in page("overview").html
    use_settings(marts.settings.model_copy(update={"freshness_minutes": 0.001}))
    stale = page("overview").html
    assert "badge-stale" in stale
    assert "The target is 0.001 min" in stale


def test_dashboard_says_so_before_the_first_build(page: OpenPage, marts: Marts, use_settings: Any) -> None:
    use_settings(marts.settings.model_copy(update={"dataset_prefix": "nothing"}))
    seen = page("overview")
    assert "No figures yet." in seen.app.info[0].value
    assert "badge-empty" in seen.html


def test_dashboard_says_so_when_the_warehouse_is_unreachable(page: OpenPage, marts: Marts, use_settings: Any) -> None:
    use_settings(marts.settings.model_copy(update={"bigquery_endpoint": "http://127.0.0.1:1"}))
    seen = page("overview")
    assert "BigQuery is not reachable." in seen.app.info[0].value
    assert "`csat status`" in seen.app.info[0].value
    assert "badge-offline" in seen.html


def test_categories_are_counted_and_ordered(page: OpenPage, landed: Landed) -> None:
    window = last_days(landed, 28)
    rows = page("categories").table("Categories")
    counts = by_volume(window)
    assert [row[0] for row in rows[:3]] == [name for name, _ in counts[:3]]
    assert rows[0][1] == f"{counts[0][1]:,}\n{counts[0][1] / len(window):.1%}".replace("%", " %")
    assert rows[0][3].splitlines()[0] == rate([row for row in window if row["category"] == counts[0][0]])
    most_dissatisfied = Counter(row["category"] for row in window if row["csat_score"] < 4).most_common(1)[0]
    assert page("categories", sort="-dissatisfied_count").table("Categories")[0][0] == most_dissatisfied[0]


def test_a_category_page_shows_its_sub_categories(page: OpenPage, landed: Landed) -> None:
    own = [row for row in last_days(landed, 7) if row["category"] == "Returns"]
    seen = page("categories", category="Returns", window="7d")
    assert seen.cards["Responses"][0] == f"{len(own):,}"
    counts = Counter(row["sub_category"] for row in own)
    rows = seen.table("Sub-categories")
    assert {row[0]: row[1].splitlines()[0] for row in rows} == {name: f"{count:,}" for name, count in counts.items()}


def test_significant_changes_are_those_of_the_mart(page: OpenPage, marts: Marts) -> None:
    found = marts.execute(
        "select * from `{table}` where is_significant and window_id = '28d' "
        "and ranking_date = (select max(ranking_date) from `{table}`)",
        "marts",
        "category_ranking",
    )
    seen = page("categories")
    if found:
        assert len(seen.table("Significant changes")) == len(found)
    else:
        assert "None vs. the previous 28 days" in seen.html


def test_pipeline_counts_every_message_by_its_outcome(page: OpenPage, landed: Landed) -> None:
    seen = page("pipeline")
    assert {row[0].splitlines()[0]: row[1] for row in seen.table("Messages by outcome")} == {
        "accepted": f"{len(landed):,}",
        "duplicate": "0",
        "not UTF-8": "1",
    }
    assert seen.cards["Messages landed"][1].startswith("1 rejected (")


def test_pipeline_shows_the_last_health_check_and_the_stream_runs(page: OpenPage, checked: datetime) -> None:
    seen = page("pipeline")
    assert [row[:3] for row in seen.table("Last health check")] == [
        ["marts freshness", "▲ Warning", "rows are not in the marts"],
        ["stream uptime", "✓ Ok", "this run started 60 min ago"],
    ]
    runs = seen.table("Stream runs")
    assert [row[2] for row in runs] == ["1 h", "2 h"]
    assert runs[0][0] == formats.moment(checked - timedelta(hours=1))
    assert seen.cards["Stream uptime"][0] == "1 h"
    assert seen.cards["Stream uptime"][2] == "1 restart in 7 days"


def test_pipeline_shows_alerts_with_their_duration(page: OpenPage, checked: datetime) -> None:
    rows = page("pipeline").table("Alerts of the last 7 days")
    assert rows == [
        [f"{ALERTS[AlertKey.MARTS_STALE].meaning} Runbook\nlate", "▲ Warning", "10 min ago", "▲ Open"],
        [f"{ALERTS[AlertKey.STREAM_RUN_FAILED].meaning} Runbook\nit was frozen", "▲ Warning", "1 h ago", "5 min"],
    ]


def test_every_page_names_the_open_alerts_and_no_resolved_ones(page: OpenPage, checked: datetime) -> None:
    for name in ("overview", "over_time"):
        text = page(name).text
        assert (
            f"▲ Warning {ALERTS[AlertKey.MARTS_STALE].meaning} Opened 10 min ago. Runbook · See the pipeline✓" in text
        )


def test_pipeline_shows_the_builds(page: OpenPage, marts: Marts) -> None:
    seen = page("pipeline")
    [count] = marts.execute("select count(*) as n from `{table}`", "ops", "mart_builds")
    rows = seen.table("Mart builds")
    assert len(rows) == count["n"]
    assert rows[-1][2:4] == ["all", f"{RESPONSES + LIVE_RESPONSES:,}"]


def test_checks_of_the_report_return_the_dashboards_numbers(page: OpenPage, marts: Marts) -> None:
    _, last = queries.mart_dates(marts.warehouse)
    written: dict[str, Callable[[Any], str]]
    written = {"percent": formats.percent, "count": formats.count, "points": formats.points}
    seen: dict[str, Seen] = {}
    shown, queried = {}, {}
    for chart in report().charts:
        place = chart.dashboard
        view = f"{place.page} {place.filters}"
        seen[view] = seen.get(view) or page(place.page, **place.filters)
        card, table = seen[view].cards.get(place.card), place.table
        shown[chart.id] = seen[view].table(table)[0][place.column].splitlines()[0] if table else card and card[0]
        [found] = chart.query.rows(marts.warehouse, as_of_date=last)
        queried[chart.id] = written[place.format](found["figure"]).replace("\u202f", " ")
    assert shown == queried


def test_app_has_all_pages_and_opens_on_the_overview(marts: Marts, use_settings: Any) -> None:
    use_settings(marts.settings)
    app = AppTest.from_file(str(ROOT / "csat" / "dashboard" / "app.py"), default_timeout=60).run()
    assert not app.exception
    assert [title.value for title in app.title] == ["Overview"]
