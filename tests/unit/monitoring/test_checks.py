"""Each check, failing and passing, from literals."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from csat.contract.alerts import AlertKey
from csat.control.verdict import State
from csat.kafka.lag import KafkaFacts
from csat.kafka.topic import TopicFacts
from csat.monitoring.checks import CHECKS, Grade, Result, is_healthy, resolved_alerts, run_checks, token_to_restart
from csat.monitoring.facts import Facts, LandingFacts, MartFacts, Missing, RunFacts, StreamFacts
from tests.unit.monitoring.conftest import HEALTHY, LIMITS, NOON, ago, stream

Make = Callable[..., Facts]
LANDING = LandingFacts(newest_at=ago(5), records=1000, rejected=10, lost=0, duplicated=0)
COMPONENTS = {"metadatabase": "healthy", "scheduler": "healthy", "dag_processor": "healthy", "triggerer": "healthy"}
AWAY: dict[str, Any] = {"waiting_for": "Kafka", "waiting_since": ago(300), "waited_until": ago(1)}
NOTHING = StreamFacts(None, None)


def result_of(check: str, facts: Facts) -> Result:
    [result] = [result for result in run_checks(facts, LIMITS) if result.check == check]
    return result


STOPPING = {"desired": "stop", "reason": "a person"}
NO_HEARTBEAT = {"token": "t2", "at": ago(120)}  # a new run without a heartbeat yet
CHANGED = stream(state="failed", alert="topic_changed", error="another id")
OUTDATED = stream(state="failed", alert="landing_table_outdated", error="other partitions")
NANOSECONDS = stream(state="failed", alert="topic_misconfigured", error="overflows")
EXPIRED = stream(state="failed", alert="records_expired", error="4 records")
POISONED = stream({"failed_batch": "q-7", "failed_count": 2}, state="failed", failed_batch="q-7", error="boom")
OK = ("ok", None)
MISCONFIGURED = ("warning", "topic_misconfigured")
DOWN, SLOW, STOPPED = ("critical", "stream_down"), ("warning", "stream_slow"), ("warning", "stream_stopped")

CASES: dict[str, list[tuple[str, dict[str, Any], tuple[str, str | None], str]]] = {
    "stream_heartbeat": [
        ("at the limit", {"stream": stream(at=ago(20))}, OK, "last heartbeat 20 s ago, running"),
        ("old", {"stream": stream(at=ago(21))}, DOWN, "last heartbeat 21 s ago, running"),
        ("of the future", {"stream": stream(at=ago(-21))}, DOWN, "last heartbeat 0 s ago, running"),
        (
            "of one that stopped",
            {"stream": stream(at=ago(9000), state="stopped")},
            OK,
            "last heartbeat 2 h ago, stopped",
        ),
        ("never started", {"stream": NOTHING}, DOWN, "the stream was never started"),
        ("requested in the future", {"stream": stream(NO_HEARTBEAT | {"at": ago(-61)})}, DOWN, "no heartbeat"),
        ("just started", {"stream": stream(NO_HEARTBEAT)}, OK, "no heartbeat of this run, requested 2 min ago"),
        (
            "did not start in time",
            {"stream": stream(NO_HEARTBEAT | {"at": ago(121)})},
            DOWN,
            "no heartbeat of this run, requested 2",
        ),
    ],
    "stream_verdict": [
        ("healthy", {}, OK, "healthy"),
        ("frozen", {"stream": stream(at=ago(21))}, DOWN, "dead_or_frozen"),
        ("failed", {"stream": stream(state="failed", error="boom")}, DOWN, "failed: boom"),
        ("poisoned", {"stream": POISONED}, ("critical", "poison_batch"), "poison_batch: boom"),
        ("another topic", {"stream": CHANGED}, ("critical", "topic_changed"), "failed: another id"),
        ("an old table", {"stream": OUTDATED}, ("critical", "landing_table_outdated"), "failed: other partitions"),
        ("expired", {"stream": EXPIRED}, ("critical", "records_expired"), "failed: 4 records"),
        ("time", {"stream": NANOSECONDS}, ("critical", "topic_misconfigured"), "failed: overflows"),
        ("slow", {"stream": stream(slow_batches=10)}, SLOW, "slow"),
        ("lagging", {"stream": stream(backlog=9, lagging_since=ago(601))}, SLOW, "lagging"),
        (
            "waiting",
            {"stream": stream(**AWAY, backlog=9)},
            SLOW,
            "waiting for Kafka since 2026-11-20 11:55 UTC",
        ),
        ("waiting at its start", {"stream": stream(**AWAY, state="starting")}, SLOW, "waiting for Kafka since"),
        ("stopped", {"stream": stream(STOPPING, state="stopped")}, STOPPED, "stopped: a person"),
        ("full memory", {"stream": stream(memory_high_heartbeats=5)}, ("warning", "stream_restart_overdue"), "memory"),
        ("full memory, stop requested", {"stream": stream(STOPPING, memory_high_heartbeats=5)}, OK, "memory"),
        ("never started", {"stream": NOTHING}, DOWN, "the stream was never started"),
    ],
    "stream_uptime": [
        ("running", {"stream": stream(at=ago(20))}, OK, "this run started 60 min ago"),
        ("frozen", {"stream": stream(at=ago(21))}, OK, "the stream is not running"),
        ("of the future", {"stream": stream(at=ago(-21))}, OK, "the stream is not running"),
        ("stopped", {"stream": stream(state="stopped")}, OK, "the stream is not running"),
        ("never started", {"stream": NOTHING}, OK, "the stream is not running"),
    ],
    "run_stream_dag": [
        ("active", {}, OK, "a run of run_stream is active"),
        (
            "none active",
            {"run": RunFacts(False, 0, ago(121))},
            ("critical", "stream_unmonitored"),
            "no run of run_stream",
        ),
        (
            "of the future",
            {"run": RunFacts(False, 0, ago(-61))},
            ("critical", "stream_unmonitored"),
            "no run of run_stream",
        ),
        ("never ran", {"run": RunFacts(False, 0, None)}, ("critical", "stream_unmonitored"), "no run of run_stream"),
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
    "topic_configuration": [
        ("right", {}, OK, "Kafka keeps messages: 168 h"),
        ("unlimited", {"topic": TopicFacts("LogAppendTime", "delete", -1)}, OK, "Kafka keeps messages: without limit"),
        (
            *("limited by size", {"topic": TopicFacts("LogAppendTime", "delete", 1_800_000, 5_000)}, OK),
            "Kafka keeps messages: 0.5 h, 5,000 bytes per partition",
        ),
        (
            *("the producer's clock", {"topic": TopicFacts("CreateTime", "delete", 1)}, MISCONFIGURED),
            "message.timestamp.type is CreateTime, not LogAppendTime",
        ),
        (
            *("compacted", {"topic": TopicFacts("LogAppendTime", "compact,delete", 1)}, MISCONFIGURED),
            "cleanup.policy is compact,delete, not delete",
        ),
    ],
    "landing_freshness": [
        ("quiet", {"landing": replace(LANDING, newest_at=None)}, OK, "no row in the last hour, nothing overdue"),
        ("catching up", {"kafka": KafkaFacts(900, 800)}, OK, "newest row 5 s ago"),
        (
            *("late", {"kafka": KafkaFacts(3, 2), "landing": replace(LANDING, newest_at=ago(121))}),
            *(("critical", "landing_delayed"), "2 messages have waited for more than 120 s, newest row 2 min ago"),
        ),
        (
            *("late for an hour", {"kafka": KafkaFacts(3, 2), "landing": replace(LANDING, newest_at=None)}),
            *(("critical", "landing_delayed"), "2 messages have waited for more than 120 s, no row in the last hour"),
        ),
    ],
    "completeness": [
        ("complete", {}, OK, "each of 1,000 messages is one row"),
        ("not examined", {"landing": replace(LANDING, lost=None)}, OK, "gaps between offsets, examined once"),
        (
            *("lost", {"landing": replace(LANDING, lost=3)}, ("critical", "records_lost_or_duplicated")),
            "of 1,000 messages, 3 are lost and 0 landed twice",
        ),
        (
            *("twice", {"landing": replace(LANDING, duplicated=2)}, ("critical", "records_lost_or_duplicated")),
            "of 1,000 messages, 0 are lost and 2 landed twice",
        ),
    ],
    "reject_rate": [
        ("at the limit", {"landing": replace(LANDING, rejected=50)}, OK, "50 of 1,000 messages rejected (5.0%)"),
        (
            *("high", {"landing": replace(LANDING, rejected=51)}, ("warning", "reject_rate_high")),
            "51 of 1,000 messages rejected (5.1%)",
        ),
        ("high among few", {"landing": replace(LANDING, records=40, rejected=19)}, OK, "19 of 40 messages rejected"),
        ("of nothing", {"landing": replace(LANDING, records=0, rejected=0)}, OK, "0 of 0 messages rejected (0.0%)"),
    ],
    "marts_freshness": [
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
            ("warning", "marts_stale"),
            "the oldest new row landed 15",
        ),
        (
            *("late", {"marts": MartFacts(ago(7200), ago(901))}, ("warning", "marts_stale")),
            "the oldest new row landed 15 min ago, last build 2 h ago: more than 15 min",
        ),
    ],
    "airflow_components": [
        ("healthy", {}, OK, "dag_processor, metadatabase, scheduler, triggerer are healthy"),
        (
            *("dead", {"airflow": COMPONENTS | {"triggerer": "unhealthy"}}, ("critical", "airflow_unhealthy")),
            "triggerer is unhealthy",
        ),
    ],
    "load_job_quota": [
        ("enough", {"load_jobs": 1199}, OK, "1,199 of 1,500 load jobs in 24 hours"),
        ("low", {"load_jobs": 1200}, ("warning", "load_job_quota_low"), "1,200 of 1,500 load jobs in 24 hours"),
        ("almost none left", {"load_jobs": 1425}, ("critical", "load_job_quota_low"), "1,425 of 1,500 load jobs"),
    ],
    "disk_space": [
        ("enough", {"free_bytes": 2 * 1024**3}, OK, "2.0 GiB free"),
        ("low", {"free_bytes": 1024**3}, ("critical", "disk_space_low"), "1.0 GiB free, less than 2 GiB"),
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


def test_the_uptime_of_a_stream_run_is_its_value() -> None:
    assert result_of("stream_uptime", HEALTHY).value == 3600


@pytest.mark.parametrize(("retention_ms", "value"), [(604_800_000, 604_800), (-1, None)])
def test_the_retention_of_the_topic_is_its_value(make_facts: Make, retention_ms: int, value: float | None) -> None:
    facts = make_facts(topic=TopicFacts("LogAppendTime", "delete", retention_ms))
    assert result_of("topic_configuration", facts).value == value


def test_every_check_is_tested_failing_with_every_alert_it_may_raise() -> None:
    seen = {(check, case[2][1]) for check, cases in CASES.items() for case in cases if case[2][1]}
    assert {(check.name, alert.value) for check in CHECKS for alert in check.may_raise} == seen


def test_a_pipeline_without_problems_is_healthy() -> None:
    results = run_checks(HEALTHY, LIMITS)
    assert is_healthy(results)
    assert {result.grade for result in results} == {Grade.OK}
    assert len(results) == 13


DEAD_BIGQUERY = Missing("BigQuery does not respond", AlertKey.BIGQUERY_UNREACHABLE)


def test_an_unreachable_source_fails_each_check_that_needs_it(make_facts: Make) -> None:
    results = run_checks(make_facts(landing=DEAD_BIGQUERY, marts=DEAD_BIGQUERY), LIMITS)
    assert {result.check: (result.grade.value, result.alert) for result in results if result.alert} == {
        "landing_freshness": ("critical", "bigquery_unreachable"),
        "completeness": ("critical", "bigquery_unreachable"),
        "reject_rate": ("critical", "bigquery_unreachable"),
        "marts_freshness": ("critical", "bigquery_unreachable"),
    }
    assert not is_healthy(results)


def test_a_check_that_does_not_apply_is_skipped_and_not_failed(make_facts: Make) -> None:
    results = run_checks(make_facts(load_jobs=Missing("the emulator has no quota")), LIMITS)
    assert is_healthy(results)
    assert [result.check for result in results if result.grade is Grade.SKIPPED] == ["load_job_quota"]


def resolved(facts: Facts) -> set[AlertKey]:
    return resolved_alerts(run_checks(facts, LIMITS), facts)


def test_a_healthy_run_resolves_every_alert_except_dag_failed() -> None:
    assert resolved(HEALTHY) == set(AlertKey) - {AlertKey.DAG_FAILED}


def test_a_run_resolves_no_alert_that_it_raises(make_facts: Make) -> None:
    assert AlertKey.STREAM_DOWN not in resolved(make_facts(stream=stream(at=ago(21))))


def test_a_run_resolves_no_alert_whose_source_is_unreachable(make_facts: Make) -> None:
    keys = resolved(make_facts(landing=DEAD_BIGQUERY))
    assert (
        not {
            AlertKey.RECORDS_LOST_OR_DUPLICATED,
            AlertKey.REJECT_RATE_HIGH,
            AlertKey.LANDING_DELAYED,
            AlertKey.BIGQUERY_UNREACHABLE,
        }
        & keys
    )
    assert {AlertKey.KAFKA_UNREACHABLE, AlertKey.MARTS_STALE} <= keys


def test_a_run_that_did_not_examine_the_gaps_does_not_resolve_lost_messages(make_facts: Make) -> None:
    assert AlertKey.RECORDS_LOST_OR_DUPLICATED not in resolved(make_facts(landing=replace(LANDING, lost=None)))


def test_a_poison_batch_does_not_resolve_stream_down(make_facts: Make) -> None:
    assert not {AlertKey.STREAM_DOWN, AlertKey.POISON_BATCH, AlertKey.STREAM_RUN_FAILED} & resolved(
        make_facts(stream=POISONED)
    )


@pytest.mark.parametrize(
    ("facts", "is_resolved"),
    [
        (stream(batch_id=8, backlog=5), True),
        (stream(batch_id=None, backlog=0), True),
        (stream(batch_id=None, backlog=5), False),
        (stream(batch_id=8, state=State.FAILED), False),
        (stream({"token": "t2"}), False),
    ],
    ids=["ended a batch", "nothing to do", "in its first batch", "failed", "another run"],
)
def test_a_poison_batch_is_resolved_once_a_run_has_finished_a_batch(
    make_facts: Make, facts: StreamFacts, is_resolved: bool
) -> None:
    assert ({AlertKey.POISON_BATCH, AlertKey.STREAM_RUN_FAILED} <= resolved(make_facts(stream=facts))) is is_resolved


@pytest.mark.parametrize(
    ("facts", "token"),
    [
        (stream(), ""),
        (stream(at=ago(21)), "t1"),
        (stream(memory_high_heartbeats=5), "t1"),
        (stream(state=State.FAILED), "t1"),
        (POISONED, ""),
        (stream(slow_batches=10), ""),
        (stream({"desired": "stop"}, at=ago(21)), ""),
        (NOTHING, ""),
        (Missing("no folder", AlertKey.STATE_FILES_UNREADABLE), ""),
    ],
    ids=[
        "healthy",
        "frozen",
        "full memory",
        "failed",
        "poisoned",
        "slow",
        "stop requested",
        "never started",
        "unreadable",
    ],
)
def test_a_restart_is_requested_only_where_it_helps(make_facts: Make, facts: Any, token: str) -> None:
    assert token_to_restart(make_facts(stream=facts, now=NOON), LIMITS) == token


@pytest.mark.parametrize("key", [AlertKey.TOPIC_CHANGED, AlertKey.RECORDS_EXPIRED, AlertKey.LANDING_TABLE_OUTDATED])
def test_a_stream_that_needs_a_decision_raises_its_own_alert(make_facts: Make, key: AlertKey) -> None:
    facts = make_facts(stream=stream(state=State.FAILED, alert=key.value, error="why"))
    raised = {result.alert for result in run_checks(facts, LIMITS)}
    assert key in raised
    assert AlertKey.STREAM_DOWN not in raised
    assert not resolved(facts) & {key, AlertKey.STREAM_DOWN}
