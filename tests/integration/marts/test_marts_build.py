"""The marts on a real emulator with real dbt: exact after every build, with late, duplicate and invalid rows."""

import random
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from csat.contract.errors import CsatError
from csat.marts import build as marts
from csat.marts.freshness import source_freshness
from csat.reporting import queries
from tests.integration.marts import recount
from tests.integration.marts.checks import assert_same, kill_build
from tests.integration.marts.conftest import TABLES, Marts, Rows, at, survey_response

pytestmark = pytest.mark.integration

FIRST_DAY = date(2026, 9, 1)
DAYS = 60  # to 2026-10-30
MENU = [("Returns", "Wrong"), ("Returns", "Missing"), ("Returns", "Damaged"), ("Others", "Others"), ("Order", "Wrong")]


def random_response(number: int, rng: random.Random) -> dict[str, Any]:
    """A response on any of the days; agents differ in CSAT, and half-way some get new names and better categories."""
    answered_at = at(FIRST_DAY, 0) + timedelta(seconds=rng.randrange(DAYS * 86_400))
    agent, is_late = rng.randrange(7), answered_at >= at(FIRST_DAY + timedelta(days=30), 0)
    category, sub_category = rng.choices(MENU, [8, 6, 1, 2, 3])[0]
    chance = 0.15 + 0.12 * agent + (0.25 if is_late and category == "Returns" else 0)
    reported_at = answered_at - timedelta(days=3)
    minutes = rng.choice([-5, 0, 3, 5, 6.5, 60, 61, 600, 1440, 2000])
    return survey_response(
        number,
        answered_at,
        agent_id=f"a{agent}",
        agent_name=f"Agent {agent}" + (" II" if is_late and agent < 3 else ""),
        supervisor_name=f"Supervisor {rng.randrange(2)}",
        channel=rng.choice(["Inbound", "Outcall", "Email"]),
        category=category,
        sub_category=sub_category,
        issue_reported_at=reported_at,
        issue_responded_at=reported_at + timedelta(minutes=minutes),
        csat_score=rng.choice([4, 5]) if rng.random() < chance else rng.choice([1, 2, 3]),
        kafka_partition=agent % 4,
        ingested_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


def first_rows() -> Rows:
    """700 random responses, three with later duplicates, and the one with the watermark, not on the latest date."""
    rng = random.Random(3)
    named = [
        survey_response(1001, at(date(2026, 9, 20)), csat_score=1),
        survey_response(1002, at(date(2026, 9, 25)), csat_score=2),
        survey_response(1003, at(date(2026, 10, 1)), csat_score=3),
        survey_response(1004, at(date(2026, 10, 2)), ingested_at=datetime(2026, 11, 1, 12, tzinfo=UTC)),
    ]
    return [random_response(number, rng) for number in range(700)] + named


def later_rows() -> Rows:
    """The rows of a second batch."""
    batch: dict[str, Any] = {"ingested_at": datetime(2026, 11, 4, tzinfo=UTC), "batch_id": "b2"}
    second = timedelta(seconds=1)
    on = {day: at(date(2026, *day)) for day in [(9, 15), (9, 20), (9, 22), (9, 25), (9, 27), (10, 1), (11, 3)]}
    return [
        survey_response(2001, on[9, 15], **batch),  # late
        survey_response(
            1001, on[9, 22], kafka_timestamp=on[9, 20], kafka_partition=1, **batch
        ),  # wins: earlier in Kafka
        survey_response(1002, on[9, 27], kafka_timestamp=on[9, 27] + second, **batch),  # loses on another date
        survey_response(1003, on[10, 1], kafka_timestamp=on[10, 1] + 2 * second, **batch),  # loses on its date
        survey_response(2002, on[11, 3], agent_id="new", **batch),  # a later latest date, after days without responses
        {"rejection_reason": "not UTF-8", "payload": "AA==", "kafka_topic": "messages", "kafka_partition": 0}
        | {"kafka_offset": 9, "kafka_timestamp": on[11, 3], **batch},
    ]


@pytest.fixture(scope="module")
def first(make_marts: Callable[[], Marts]) -> Marts:
    """The marts after their first build."""
    world = make_marts()
    world.land(first_rows())
    world.build()
    return world


@pytest.fixture(scope="module")
def second(first: Marts) -> tuple[Marts, marts.BuildReport]:
    """The marts after more rows, two killed builds, and a complete one.

    A marker in customer_city, which no other mart reads, shows the days that were rebuilt.
    """
    first.execute("update `{table}` set customer_city = 'OLD' where true", "marts", "fct_survey_responses")
    first.land(later_rows())
    for model in ("fct_survey_responses", "agent_leaderboard"):
        kill_build(first, after=model)
    return first, first.build()


@pytest.fixture(scope="module")
def refreshed(second: tuple[Marts, marts.BuildReport]) -> tuple[Marts, dict[str, list[str]]]:
    """The marts after a full refresh, and their rows before."""
    world = second[0]
    world.execute("update `{table}` set customer_city = null where true", "marts", "fct_survey_responses")
    before = world.snapshot()
    world.build(full_refresh=True)
    return world, before


def test_first_build_matches_a_recount_of_the_leaderboard(first: Marts) -> None:
    expected = recount.leaderboard(first_rows())
    assert {row["tier"] for row in expected} >= {None, 1, 2}
    assert_same(first, "agent_leaderboard", expected)


def test_first_build_matches_a_recount_of_the_categories(first: Marts) -> None:
    expected = recount.categories(first_rows())
    assert any(row["is_significant"] for row in expected)
    assert_same(first, "category_ranking", expected)


def test_first_build_matches_a_recount_of_the_series(first: Marts) -> None:
    assert_same(first, "response_series", recount.series(first_rows()))


def test_shown_leaderboard_is_the_latest_by_rank(first: Marts) -> None:
    _, last = queries.mart_dates(first.warehouse)
    rows = queries.LEADERBOARD.rows(first.warehouse, as_of_date=last, window_id="28d", row_limit=3)
    assert [row["leaderboard_rank"] for row in rows] == [1, 2, 3]
    assert {row["leaderboard_date"] for row in rows} == {date(2026, 10, 30)}


def test_shown_categories_are_the_latest_by_volume(first: Marts) -> None:
    _, last = queries.mart_dates(first.warehouse)
    rows = queries.CATEGORIES.rows(first.warehouse, as_of_date=last, window_id="7d", row_limit=2)
    assert [(row["volume_rank"], row["sub_category"]) for row in rows] == [(1, None), (2, None)]


def test_second_build_takes_the_dates_of_touched_responses_the_look_back_and_the_previous_latest(
    second: tuple[Marts, marts.BuildReport],
) -> None:
    record = second[1].record
    assert record is not None
    assert [day.isoformat()[5:] for day in record.touched_dates] == (
        ["09-15", "09-20", "09-22", "09-25", "09-27", "10-01", "10-02", "10-30", "11-03"]
    )
    assert second[1].watermark == datetime(2026, 11, 4, tzinfo=UTC)
    assert record.watermark_from == datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_second_build_does_not_touch_other_dates(second: tuple[Marts, marts.BuildReport]) -> None:
    world, report = second
    assert report.record is not None
    rows = world.read("fct_survey_responses")
    rebuilt = {row["response_date"] for row in rows if row["customer_city"] is None}
    old = {row["response_date"] for row in rows if row["customer_city"] == "OLD"}
    assert rebuilt <= set(report.record.touched_dates)
    assert not old & set(report.record.touched_dates)
    assert len(old) > 40


@pytest.mark.parametrize("table", recount.MARTS)
def test_second_build_matches_a_recount_of_all_rows(second: tuple[Marts, marts.BuildReport], table: str) -> None:
    assert_same(second[0], table, recount.MARTS[table](first_rows() + later_rows()))


def test_health_counts_every_message_once(second: tuple[Marts, marts.BuildReport]) -> None:
    rows = second[0].read("pipeline_health")
    assert {row["outcome"]: row["message_count"] for row in rows} == {"accepted": 706, "duplicate": 3, "not UTF-8": 1}


def test_full_refresh_equals_the_builds_by_date(
    refreshed: tuple[Marts, dict[str, list[str]]],
) -> None:
    world, before = refreshed
    after = world.snapshot()
    for table, rows in before.items():
        assert after[table] == rows, table


def test_build_does_nothing_without_new_accepted_rows(refreshed: tuple[Marts, dict[str, list[str]]]) -> None:
    world = refreshed[0]
    rejected, newest = later_rows()[-1], datetime(2026, 11, 5, tzinfo=UTC)
    world.land(
        [
            rejected | {"kafka_offset": 10, "ingested_at": newest},
            rejected | {"kafka_offset": 11, "ingested_at": newest - timedelta(hours=1)},
        ]
    )
    assert world.build().status == "nothing new"
    warning, *lines = world.lines
    assert warning.startswith("warning: the newest landed row is ")
    assert lines == ["Nothing new in the landing table."]
    last = marts.last_build(world.settings)
    assert last is not None
    assert last["is_full_refresh"]


def test_freshness_is_that_of_the_newest_row(refreshed: tuple[Marts, dict[str, list[str]]]) -> None:
    world = refreshed[0]
    newest = max(row["ingested_at"] for row in world.landed)
    found = source_freshness(world.warehouse, newest + timedelta(minutes=20))
    assert (found.status, found.newest_ingested_at, found.age_seconds) == ("warn", newest, 1_200)


def test_results_of_every_model_and_test_are_stored(refreshed: tuple[Marts, dict[str, list[str]]]) -> None:
    world = refreshed[0]
    last = marts.last_build(world.settings)
    assert last is not None
    runs = world.execute(f"select * from `{{table}}` where build_id = '{last['build_id']}'", "ops", "dbt_runs")
    tests = world.execute(f"select * from `{{table}}` where build_id = '{last['build_id']}'", "ops", "dbt_tests")
    assert {row["model"] for row in runs} >= {*TABLES, "stg_survey_responses", "pipeline_health"}
    assert {(row["status"], row["is_full_refresh"]) for row in runs} == {("success", True)}
    assert {row["status"] for row in tests} <= {"pass", "warn"}
    assert {row["model"] for row in tests} == {*TABLES}
    assert (len(runs), len(tests)) == (last["model_count"], last["test_count"])


@pytest.fixture(scope="module")
def failed(refreshed: tuple[Marts, dict[str, list[str]]]) -> tuple[Marts, dict[str, list[str]], str]:
    """The marts after a build that failed on a score of 9, their rows before, and the error."""
    world = refreshed[0]
    before = world.snapshot()
    wrong = survey_response(3001, at(date(2026, 11, 4)), csat_score=9, ingested_at=datetime(2026, 11, 6, tzinfo=UTC))
    world.land([wrong])
    with pytest.raises(CsatError, match="dbt failed in") as caught:
        world.build()
    return world, before, str(caught.value)


def test_failing_test_is_named_and_does_not_move_the_watermark(failed: tuple[Marts, dict[str, list[str]], str]) -> None:
    assert re.search(r"fct_survey_responses_rules_hold.*dbt\.log", failed[2])
    last = marts.last_build(failed[0].settings)
    assert last is not None
    assert last["watermark_to"] == "2026-11-04T00:00:00+00:00"


def test_failing_test_changes_nothing_that_readers_see(failed: tuple[Marts, dict[str, list[str]], str]) -> None:
    world, before, _ = failed
    assert world.snapshot() == before
    candidate = "select count(*) as row_count from `{table}` where csat_score = 9"
    assert world.execute(candidate, "candidate", "fct_survey_responses") == [{"row_count": 1}]


def test_failing_test_and_skipped_models_are_stored(failed: tuple[Marts, dict[str, list[str]], str]) -> None:
    world = failed[0]
    [test] = world.execute("select * from `{table}` where status = 'fail'", "ops", "dbt_tests")
    assert (test["test"], test["model"], test["failures"]) == (
        "fct_survey_responses_rules_hold",
        "fct_survey_responses",
        2,  # the rule, and the warning of a category that the data set does not have
    )
    assert ": rule: csat_score between 1 and 5, row_count: 1, is_warning: False; rule: known values" in test["message"]
    build = f"where build_id = '{test['build_id']}' and status = 'skipped'"
    skipped = world.execute(f"select model from `{{table}}` {build}", "ops", "dbt_runs")
    assert {row["model"] for row in skipped} == {*TABLES} - {"fct_survey_responses"}
