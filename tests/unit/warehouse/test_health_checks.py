"""Each check, failing and passing, from literals."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from csat.alerts import AlertKey
from csat.health import State
from tests.unit.warehouse.conftest import LIMITS, NOON, WELL, ago, stream
from warehouse.facts import Facts, KafkaFacts, LandingFacts, MartFacts, Missing, RunFacts, StreamFacts
from warehouse.health_checks import CHECKS, Grade, Result, is_healthy, look_at, recovered, token_to_restart

Make = Callable[..., Facts]
LANDING = LandingFacts(newest_at=ago(5), records=1000, rejected=10, lost=0, duplicated=0)
COMPONENTS = {"metadatabase": "healthy", "scheduler": "healthy", "dag_processor": "healthy", "triggerer": "healthy"}
NOTHING = StreamFacts(None, None)


def result_of(check: str, facts: Facts) -> Result:
    [result] = [result for result in look_at(facts, LIMITS) if result.check == check]
    return result


STOPPING = {"desired": "stop", "reason": "a person"}
UNBEATEN = {"token": "t2", "at": ago(120)}  # a new life that has not beaten yet
POISONED = stream({"failed_batch": "q-7", "failed_count": 2}, state="failed", failed_batch="q-7", error="boom")
OK = ("ok", None)
DOWN, SLOW, STOPPED = ("critical", "stream_down"), ("warning", "stream_slow"), ("warning", "stream_stopped")

CASES: dict[str, list[tuple[str, dict[str, Any], tuple[str, str | None], str]]] = {
    "stream_beat": [
        ("at the limit", {"stream": stream(at=ago(20))}, OK, "last beat 20 s ago, running"),
        ("old", {"stream": stream(at=ago(21))}, DOWN, "last beat 21 s ago, running"),
        ("of one that stopped", {"stream": stream(at=ago(9000), state="stopped")}, OK, "last beat 2 h ago, stopped"),
        ("never started", {"stream": NOTHING}, DOWN, "the stream was never started"),
        ("young life", {"stream": stream(UNBEATEN)}, OK, "no beat of this life, asked for 2 min ago"),
        ("never came up", {"stream": stream(UNBEATEN | {"at": ago(121)})}, DOWN, "no beat of this life, asked for 2"),
    ],
    "stream_verdict": [
        ("well", {}, OK, "healthy"),
        ("frozen", {"stream": stream(at=ago(21))}, DOWN, "dead_or_frozen"),
        ("failed", {"stream": stream(state="failed", error="boom")}, DOWN, "failed: boom"),
        ("poisoned", {"stream": POISONED}, ("critical", "poison_batch"), "poison_batch: boom"),
        ("slow", {"stream": stream(slow_batches=10)}, SLOW, "slow"),
        ("lagging", {"stream": stream(backlog=9, lagging_since=ago(601))}, SLOW, "lagging"),
        ("stopped", {"stream": stream(STOPPING, state="stopped")}, STOPPED, "stopped: a person"),
        ("full memory", {"stream": stream(memory_high_beats=5)}, ("warning", "stream_overdue"), "memory"),
        ("full memory, told to leave", {"stream": stream(STOPPING, memory_high_beats=5)}, OK, "memory"),
        ("never started", {"stream": NOTHING}, DOWN, "the stream was never started"),
    ],
    "stream_life": [
        ("running", {"stream": stream(at=ago(20))}, OK, "this life began 60 min ago"),
        ("frozen", {"stream": stream(at=ago(21))}, OK, "no life of the stream runs"),
        ("stopped", {"stream": stream(state="stopped")}, OK, "no life of the stream runs"),
        ("never started", {"stream": NOTHING}, OK, "no life of the stream runs"),
    ],
    "run_stream": [
        ("active", {}, OK, "a run of run_stream is active"),
        ("gone", {"run": RunFacts(False, 0, ago(121))}, ("critical", "stream_unguarded"), "no run of run_stream"),
        ("never ran", {"run": RunFacts(False, 0, None)}, ("critical", "stream_unguarded"), "no run of run_stream"),
        ("between two", {"run": RunFacts(False, 0, ago(120))}, OK, "between two runs, the last ended 2 min ago"),
        ("paused", {"run": RunFacts(True, 1, None)}, STOPPED, "the DAG run_stream is paused"),
    ],
    "kafka_backlog": [
        ("at the limit", {"kafka": KafkaFacts(1000, 0)}, OK, "1,000 messages wait in Kafka"),
        (
            *("high", {"kafka": KafkaFacts(1001, 0)}, ("warning", "kafka_backlog")),
            "1,001 messages wait in Kafka, more than 1,000",
        ),
    ],
    "landing_age": [
        ("quiet", {"landing": replace(LANDING, newest_at=None)}, OK, "no row in the last hour, nothing overdue"),
        ("catches up", {"kafka": KafkaFacts(900, 800)}, OK, "newest row 5 s ago"),
        (
            *("late", {"kafka": KafkaFacts(3, 2), "landing": replace(LANDING, newest_at=ago(121))}),
            *(("critical", "landing_late"), "2 messages wait for more than 120 s, newest row 2 min ago"),
        ),
        (
            *("late for an hour", {"kafka": KafkaFacts(3, 2), "landing": replace(LANDING, newest_at=None)}),
            *(("critical", "landing_late"), "2 messages wait for more than 120 s, no row in the last hour"),
        ),
    ],
    "completeness": [
        ("all there", {}, OK, "each of 1,000 records is one row"),
        ("not searched", {"landing": replace(LANDING, lost=None)}, OK, "records with old answer dates"),
        (
            *("lost", {"landing": replace(LANDING, lost=3)}, ("critical", "records_wrong")),
            "of 1,000 records 3 are lost and 0 landed twice",
        ),
        (
            *("twice", {"landing": replace(LANDING, duplicated=2)}, ("critical", "records_wrong")),
            "of 1,000 records 0 are lost and 2 landed twice",
        ),
    ],
    "reject_share": [
        ("at the limit", {"landing": replace(LANDING, rejected=50)}, OK, "50 of 1,000 records rejected (5.0%)"),
        (
            *("high", {"landing": replace(LANDING, rejected=51)}, ("warning", "rejects_high")),
            "51 of 1,000 records rejected (5.1%)",
        ),
        ("high among few", {"landing": replace(LANDING, records=40, rejected=19)}, OK, "19 of 40 records rejected"),
        ("of nothing", {"landing": replace(LANDING, records=0, rejected=0)}, OK, "0 of 0 records rejected (0.0%)"),
    ],
    "marts_age": [
        ("at the limit", {"marts": MartFacts(ago(900), ago(900))}, OK, "the oldest new row landed 15 min ago"),
        (
            "quiet for hours",
            {"marts": MartFacts(ago(90_000), None)},
            OK,
            "every row is in the marts, last build 25 h ago",
        ),
        (
            "never built",
            {"marts": MartFacts(None, ago(901))},
            ("warning", "marts_late"),
            "the oldest new row landed 15",
        ),
        (
            *("late", {"marts": MartFacts(ago(7200), ago(901))}, ("warning", "marts_late")),
            "the oldest new row landed 15 min ago, last build 2 h ago: more than 15 min",
        ),
    ],
    "airflow_components": [
        ("well", {}, OK, "dag_processor, metadatabase, scheduler, triggerer are healthy"),
        (
            *("dead", {"airflow": COMPONENTS | {"triggerer": "unhealthy"}}, ("critical", "airflow_unwell")),
            "triggerer is unhealthy",
        ),
    ],
    "load_jobs": [
        ("plenty", {"load_jobs": 1199}, OK, "1,199 of 1,500 load jobs in 24 hours"),
        ("short", {"load_jobs": 1200}, ("warning", "load_jobs_short"), "1,200 of 1,500 load jobs in 24 hours"),
        ("almost none left", {"load_jobs": 1425}, ("critical", "load_jobs_short"), "1,425 of 1,500 load jobs"),
    ],
    "disk": [
        ("room", {"free_bytes": 2 * 1024**3}, OK, "2.0 GiB free"),
        ("short", {"free_bytes": 1024**3}, ("critical", "disk_short"), "1.0 GiB free, less than 2 GiB"),
    ],
}


@pytest.mark.parametrize(
    ("check", "change", "outcome", "detail"),
    [pytest.param(check, *case[1:], id=f"{check}: {case[0]}") for check, cases in CASES.items() for case in cases],
)
def test_a_check_says_what_is_wrong(
    make_facts: Make, check: str, change: dict[str, Any], outcome: tuple[str, str | None], detail: str
) -> None:
    result = result_of(check, make_facts(**change))
    assert (result.grade.value, result.alert) == outcome
    assert result.detail.startswith(detail)


def test_the_age_of_a_life_tells_when_it_began() -> None:
    assert result_of("stream_life", WELL).value == 3600


def test_every_check_is_tested_failing_with_every_alert_it_may_raise() -> None:
    seen = {(check, case[2][1]) for check, cases in CASES.items() for case in cases if case[2][1]}
    assert {(check.name, alert.value) for check in CHECKS for alert in check.may_raise} == seen


def test_a_pipeline_that_is_well_is_healthy() -> None:
    results = look_at(WELL, LIMITS)
    assert is_healthy(results)
    assert {result.grade for result in results} == {Grade.OK}
    assert len(results) == 12


DEAD_BIGQUERY = Missing("BigQuery does not answer", AlertKey.BIGQUERY_UNREACHABLE)


def test_a_source_that_does_not_answer_is_a_bad_result_of_each_check_that_needs_it(make_facts: Make) -> None:
    results = look_at(make_facts(landing=DEAD_BIGQUERY, marts=DEAD_BIGQUERY), LIMITS)
    assert {result.check: (result.grade.value, result.alert) for result in results if result.alert} == {
        "landing_age": ("critical", "bigquery_unreachable"),
        "completeness": ("critical", "bigquery_unreachable"),
        "reject_share": ("critical", "bigquery_unreachable"),
        "marts_age": ("critical", "bigquery_unreachable"),
    }
    assert not is_healthy(results)


def test_what_cannot_be_asked_in_this_place_is_skipped_and_not_bad(make_facts: Make) -> None:
    results = look_at(make_facts(load_jobs=Missing("the emulator has no quota")), LIMITS)
    assert is_healthy(results)
    assert [result.check for result in results if result.grade is Grade.SKIPPED] == ["load_jobs"]


def over(facts: Facts) -> set[AlertKey]:
    return recovered(look_at(facts, LIMITS), facts)


def test_a_healthy_look_ends_every_alert_but_that_of_a_failed_dag() -> None:
    assert over(WELL) == set(AlertKey) - {AlertKey.DAG_FAILED}


def test_a_look_ends_no_alert_that_it_raises(make_facts: Make) -> None:
    assert AlertKey.STREAM_DOWN not in over(make_facts(stream=stream(at=ago(21))))


def test_a_look_ends_no_alert_whose_source_did_not_answer(make_facts: Make) -> None:
    ended = over(make_facts(landing=DEAD_BIGQUERY))
    assert (
        not {AlertKey.RECORDS_WRONG, AlertKey.REJECTS_HIGH, AlertKey.LANDING_LATE, AlertKey.BIGQUERY_UNREACHABLE}
        & ended
    )
    assert {AlertKey.KAFKA_UNREACHABLE, AlertKey.MARTS_LATE} <= ended


def test_a_look_that_did_not_search_everywhere_does_not_take_the_lost_for_found(make_facts: Make) -> None:
    assert AlertKey.RECORDS_WRONG not in over(make_facts(landing=replace(LANDING, lost=None)))


def test_a_poisoned_stream_is_not_taken_for_one_that_is_up_again(make_facts: Make) -> None:
    assert not {AlertKey.STREAM_DOWN, AlertKey.POISON_BATCH, AlertKey.STREAM_ENDED} & over(make_facts(stream=POISONED))


@pytest.mark.parametrize(
    ("facts", "is_over"),
    [
        (stream(batch_id=8, backlog=5), True),
        (stream(batch_id=None, backlog=0), True),
        (stream(batch_id=None, backlog=5), False),
        (stream(batch_id=8, state=State.FAILED), False),
        (stream({"token": "t2"}), False),
    ],
    ids=["ended a batch", "nothing to do", "in its first batch", "failed", "another life"],
)
def test_a_poison_batch_is_over_once_a_life_has_ended_a_batch(
    make_facts: Make, facts: StreamFacts, is_over: bool
) -> None:
    assert ({AlertKey.POISON_BATCH, AlertKey.STREAM_ENDED} <= over(make_facts(stream=facts))) is is_over


@pytest.mark.parametrize(
    ("facts", "token"),
    [
        (stream(), ""),
        (stream(at=ago(21)), "t1"),
        (stream(memory_high_beats=5), "t1"),
        (stream(state=State.FAILED), "t1"),
        (POISONED, ""),
        (stream(slow_batches=10), ""),
        (stream({"desired": "stop"}, at=ago(21)), ""),
        (NOTHING, ""),
        (Missing("no folder", AlertKey.DOCUMENTS_UNREADABLE), ""),
    ],
    ids=["well", "frozen", "full memory", "failed", "poisoned", "slow", "told to stop", "never started", "unreadable"],
)
def test_only_what_a_restart_mends_asks_for_one(make_facts: Make, facts: Any, token: str) -> None:
    assert token_to_restart(make_facts(stream=facts, now=NOON), LIMITS) == token
