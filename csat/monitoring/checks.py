"""What is healthy and what is not, as pure functions of the facts that `collect` gathers."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from csat.contract.alerts import ALERTS, AlertKey, Severity
from csat.control.verdict import RECYCLING, RESTARTING, State, Verdict, judge
from csat.monitoring import platform_checks, stream_checks
from csat.monitoring.facts import Facts, Limits, Missing, StreamFacts
from csat.monitoring.finding import Finding


class Grade(StrEnum):
    """The outcome of a check; skipped: it does not apply to this deployment."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """One check: the facts it needs (`judge` gets them in this order), and the alerts it may raise."""

    name: str
    needs: tuple[str, ...]
    may_raise: frozenset[AlertKey]
    judge: Callable[..., Finding]


@dataclass(frozen=True)
class Result:
    """The result of one check. `value` is the figure that was judged; `detail` says it in words."""

    check: str
    grade: Grade
    detail: str
    alert: AlertKey | None = None
    value: float | None = None
    is_proof: bool = True  # whether the absence of an alert proves that all is well

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "check": self.check,
            "grade": self.grade.value,
            "detail": self.detail,
            "alert": self.alert.value if self.alert else None,
            "value": self.value,
        }


def _check(judge: Callable[..., Finding], needs: str, *may_raise: AlertKey) -> Check:
    return Check(judge.__name__, tuple(needs.split()), frozenset(may_raise), judge)


CHECKS = (
    _check(stream_checks.stream_heartbeat, "stream", AlertKey.STREAM_DOWN),
    _check(
        stream_checks.stream_verdict,
        "stream",
        *(AlertKey.STREAM_DOWN, AlertKey.POISON_BATCH, AlertKey.STREAM_SLOW),
        *(AlertKey.STREAM_STOPPED, AlertKey.STREAM_RESTART_OVERDUE),
        *(AlertKey.TOPIC_CHANGED, AlertKey.RECORDS_EXPIRED, AlertKey.LANDING_TABLE_OUTDATED),
        AlertKey.TOPIC_MISCONFIGURED,
    ),
    _check(stream_checks.stream_uptime, "stream"),
    _check(stream_checks.run_stream_dag, "run", AlertKey.STREAM_UNMONITORED, AlertKey.STREAM_STOPPED),
    _check(stream_checks.kafka_backlog, "kafka", AlertKey.KAFKA_BACKLOG),
    _check(stream_checks.topic_configuration, "topic", AlertKey.TOPIC_MISCONFIGURED),
    _check(stream_checks.landing_freshness, "kafka landing", AlertKey.LANDING_DELAYED),
    _check(stream_checks.completeness, "landing", AlertKey.RECORDS_LOST_OR_DUPLICATED),
    _check(stream_checks.reject_rate, "landing", AlertKey.REJECT_RATE_HIGH),
    _check(platform_checks.marts_freshness, "marts", AlertKey.MARTS_STALE),
    _check(platform_checks.airflow_components, "airflow", AlertKey.AIRFLOW_UNHEALTHY),
    _check(platform_checks.load_job_quota, "load_jobs", AlertKey.LOAD_JOB_QUOTA_LOW),
    _check(platform_checks.disk_space, "free_bytes", AlertKey.DISK_SPACE_LOW),
)
# What a missing fact may raise
SOURCE_ALERTS = {
    AlertKey.STATE_FILES_UNREADABLE,
    AlertKey.KAFKA_UNREACHABLE,
    AlertKey.BIGQUERY_UNREACHABLE,
    AlertKey.AIRFLOW_UNREACHABLE,
}

_FIXED_BY_RESTART = RESTARTING - {Verdict.POISON_BATCH} | RECYCLING
# Resolved only by a stream run that works again
_OWN_ALERTS = {
    *(AlertKey.POISON_BATCH, AlertKey.TOPIC_CHANGED, AlertKey.RECORDS_EXPIRED, AlertKey.LANDING_TABLE_OUTDATED),
}
_STREAM_RUN_ALERTS = {AlertKey.STREAM_RUN_FAILED, AlertKey.TOPIC_MISCONFIGURED} | _OWN_ALERTS


def run_checks(facts: Facts, limits: Limits) -> list[Result]:
    """A result for each check. A missing fact fails every check that needs it."""
    return [_result(check, facts, limits) for check in CHECKS]


def _result(check: Check, facts: Facts, limits: Limits) -> Result:
    needed = [getattr(facts, name) for name in check.needs]
    for fact in needed:
        if isinstance(fact, Missing):
            grade = _grade(ALERTS[fact.alert].severity) if fact.alert else Grade.SKIPPED
            return Result(check.name, grade, fact.reason, fact.alert, is_proof=False)
    found = check.judge(*needed, facts.now, limits)
    severity = found.severity or (ALERTS[found.alert].severity if found.alert else None)
    grade = _grade(severity) if severity else Grade.OK
    return Result(check.name, grade, found.detail, found.alert, found.value, found.is_proof)


def _grade(severity: Severity) -> Grade:
    return Grade(severity.value)


def is_healthy(results: list[Result]) -> bool:
    """Whether no check failed."""
    return all(result.grade in (Grade.OK, Grade.SKIPPED) for result in results)


def resolved_alerts(results: list[Result], facts: Facts) -> set[AlertKey]:
    """The alerts that these results resolve: every check that may raise them ran, and none did."""
    raised = {result.alert for result in results}
    unproved = {result.check for result in results if not result.is_proof}
    in_doubt = {key for check in CHECKS if check.name in unproved for key in check.may_raise}
    if not _is_committing(facts.stream):
        in_doubt |= _STREAM_RUN_ALERTS
    if raised & _OWN_ALERTS:
        in_doubt.add(AlertKey.STREAM_DOWN)  # the same problem under another key
    known = {key for check in CHECKS for key in check.may_raise} | SOURCE_ALERTS | _STREAM_RUN_ALERTS
    return known - in_doubt - raised


def token_to_restart(facts: Facts, limits: Limits) -> str:
    """The token of the stream run that a restart would fix; empty if none would, or if a stop is already requested."""
    if (
        isinstance(facts.stream, Missing)
        or facts.stream.desired_state is None
        or facts.stream.desired_state.desired == "stop"
    ):
        return ""
    verdict = judge(facts.stream.heartbeat, facts.stream.desired_state, facts.now, limits.policy)
    return facts.stream.desired_state.token if verdict in _FIXED_BY_RESTART else ""


def _is_committing(stream: StreamFacts | Missing) -> bool:
    """Whether the driver has finished a batch of its own, or has nothing to do."""
    own = None if isinstance(stream, Missing) else stream.own_heartbeat
    return own is not None and own.state is State.RUNNING and (own.batch_id is not None or own.backlog == 0)
