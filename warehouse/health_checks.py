"""What is well and what is not, from facts alone: pure. The facts come from health_facts."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from csat.alerts import ALERTS, AlertKey, Severity
from csat.health import RECYCLING, RESTARTING, State, Verdict, judge
from warehouse import platform_checks, stream_checks
from warehouse.facts import Facts, Limits, Missing, StreamFacts
from warehouse.finding import Finding


class Grade(StrEnum):
    """How a check came out; skipped: there is nothing to ask in this place."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """One probe: the facts it needs (its judge gets them in this order), and the alerts it may raise."""

    name: str
    needs: tuple[str, ...]
    may_raise: frozenset[AlertKey]
    judge: Callable[..., Finding]


@dataclass(frozen=True)
class Result:
    """One line of a look. `value` is the figure that was judged, in the words of the detail."""

    check: str
    grade: Grade
    detail: str
    alert: AlertKey | None = None
    value: float | None = None
    is_proof: bool = True  # whether no alert means that all is well

    def as_dict(self) -> dict[str, Any]:
        """The line as JSON values."""
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
    _check(stream_checks.stream_beat, "stream", AlertKey.STREAM_DOWN),
    _check(
        stream_checks.stream_verdict,
        "stream",
        *(AlertKey.STREAM_DOWN, AlertKey.POISON_BATCH, AlertKey.STREAM_SLOW),
        *(AlertKey.STREAM_STOPPED, AlertKey.STREAM_OVERDUE),
    ),
    _check(stream_checks.stream_life, "stream"),
    _check(stream_checks.run_stream, "run", AlertKey.STREAM_UNGUARDED, AlertKey.STREAM_STOPPED),
    _check(stream_checks.kafka_backlog, "kafka", AlertKey.KAFKA_BACKLOG),
    _check(stream_checks.landing_age, "kafka landing", AlertKey.LANDING_LATE),
    _check(stream_checks.completeness, "landing", AlertKey.RECORDS_WRONG),
    _check(stream_checks.reject_share, "landing", AlertKey.REJECTS_HIGH),
    _check(platform_checks.marts_age, "marts", AlertKey.MARTS_LATE),
    _check(platform_checks.airflow_components, "airflow", AlertKey.AIRFLOW_UNWELL),
    _check(platform_checks.load_jobs, "load_jobs", AlertKey.LOAD_JOBS_SHORT),
    _check(platform_checks.disk, "free_bytes", AlertKey.DISK_SHORT),
)
# What a fact that is missing may raise
SOURCES = {
    AlertKey.DOCUMENTS_UNREADABLE,
    AlertKey.KAFKA_UNREACHABLE,
    AlertKey.BIGQUERY_UNREACHABLE,
    AlertKey.AIRFLOW_UNREACHABLE,
}

_MENDED_BY_A_RESTART = RESTARTING - {Verdict.POISON_BATCH} | RECYCLING
# What only a life that does its work again proves to be over
_OF_A_LIFE = {AlertKey.STREAM_ENDED, AlertKey.POISON_BATCH}


def look_at(facts: Facts, limits: Limits) -> list[Result]:
    """A result for each check. A fact that could not be had is a failed result of every check that needs it."""
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
    """Whether no check is bad."""
    return all(result.grade in (Grade.OK, Grade.SKIPPED) for result in results)


def recovered(results: list[Result], facts: Facts) -> set[AlertKey]:
    """The alerts that this look proves to be over: every check that may raise them was made, and none did."""
    raised = {result.alert for result in results}
    unproved = {result.check for result in results if not result.is_proof}
    in_doubt = {key for check in CHECKS if check.name in unproved for key in check.may_raise}
    if not _is_committing(facts.stream):
        in_doubt |= _OF_A_LIFE
    if AlertKey.POISON_BATCH in raised:
        in_doubt.add(AlertKey.STREAM_DOWN)  # the same trouble by another name
    known = {key for check in CHECKS for key in check.may_raise} | SOURCES | _OF_A_LIFE
    return known - in_doubt - raised


def token_to_restart(facts: Facts, limits: Limits) -> str:
    """The token of the life that a restart would mend; empty where none would, and where it is told to stop."""
    if isinstance(facts.stream, Missing) or facts.stream.control is None or facts.stream.control.desired == "stop":
        return ""
    verdict = judge(facts.stream.health, facts.stream.control, facts.now, limits.policy)
    return facts.stream.control.token if verdict in _MENDED_BY_A_RESTART else ""


def _is_committing(stream: StreamFacts | Missing) -> bool:
    """Whether the driver has ended a batch of its own, or has none to do."""
    own = None if isinstance(stream, Missing) else stream.own_health
    return own is not None and own.state is State.RUNNING and (own.batch_id is not None or own.backlog == 0)
