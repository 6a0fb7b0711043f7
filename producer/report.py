"""What a simulation really sent, counted as the broker confirms it."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from producer.fault_kinds import Fault
from producer.message import Message


@dataclass(frozen=True)
class SimulateReport:
    """What was sent, and what the pipeline should make of it; faults and reasons that did not occur are left out.

    `file`: what was read of a CSV file, see CsvSource.facts.
    """

    sent: int
    faults: dict[str, int]
    expected_accepted: int
    expected_rejected: int
    expected_distinct_responses: int
    rejected_by_reason: dict[str, int]
    seconds: float
    first_survey_answered_at: datetime | None
    last_survey_answered_at: datetime | None
    was_interrupted: bool
    file: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON values; times in ISO-8601, `file` only where there was one."""
        values = asdict(self)
        if self.file is None:
            del values["file"]
        for name, value in values.items():
            if isinstance(value, datetime):
                values[name] = value.isoformat()
        return values


@dataclass
class Tally:
    """The counts so far."""

    sent: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    first_ms: int | None = None
    last_ms: int | None = None

    def add(self, message: Message) -> None:
        """Count a message that the broker has confirmed; only accepted ones date the report."""
        self.sent += 1
        if message.fault is not None:
            self.faults[message.fault] += 1
        if message.rejection is not None:
            self.reasons[message.rejection] += 1
            return
        self.first_ms = message.answered_ms if self.first_ms is None else min(self.first_ms, message.answered_ms)
        self.last_ms = message.answered_ms if self.last_ms is None else max(self.last_ms, message.answered_ms)

    def report(self, seconds: float, *, was_interrupted: bool, file: dict[str, Any] | None = None) -> SimulateReport:
        """The report of what was counted."""
        rejected = self.reasons.total()
        accepted = self.sent - rejected
        return SimulateReport(
            sent=self.sent,
            faults=dict(sorted(self.faults.items())),
            expected_accepted=accepted,
            expected_rejected=rejected,
            expected_distinct_responses=accepted - self.faults[Fault.DUPLICATE],
            rejected_by_reason=dict(sorted(self.reasons.items())),
            seconds=round(seconds, 3),
            first_survey_answered_at=_moment(self.first_ms),
            last_survey_answered_at=_moment(self.last_ms),
            was_interrupted=was_interrupted,
            file=file,
        )


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
