"""What a simulation is asked to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from csat.contract.errors import CsatError
from producer.csv_dates import DateOrder
from producer.fault_kinds import Fault
from producer.from_csv import CsvOptions


@dataclass(frozen=True)
class SimulateOptions:
    """What to simulate: a history, a live stream, or first the one and then the other.

    `days`: a history over the last so many days, of `events` events or of the profile's daily mean.
    `rate`: live events a second, after the history if there is one; `events` of them, or until interrupted.
    With both, `events` counts for each. `events` alone: a history over the last day.
    `from_csv`: that file is the history; `events` then takes its first rows only.
    `date_order` and `allow_span`: how that file's dates are read, see CsvOptions.
    `truth`: a file to write each agent's true CSAT rate to.
    """

    events: int | None = None
    days: int | None = None
    rate: float | None = None
    seed: int = 1
    faults: Mapping[Fault, float] = field(default_factory=dict)
    truth: Path | None = None
    from_csv: Path | None = None
    date_order: DateOrder | None = None
    allow_span: bool = False

    def __post_init__(self) -> None:
        if self.events is None and self.days is None and self.rate is None and self.from_csv is None:
            raise CsatError("Nothing to simulate: give --events, --days, --rate or --from-csv.")
        for name in ("events", "days", "rate"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise CsatError(f"--{name} must be more than 0, not {value}.")
        if self.seed < 0:
            raise CsatError(f"--seed must be 0 or more, not {self.seed}.")
        if self.from_csv is not None and (self.days is not None or self.truth is not None):
            raise CsatError("--from-csv brings its own days and agents: leave --days and --truth out.")
        if self.from_csv is None and (self.date_order is not None or self.allow_span):
            raise CsatError("--date-order and --allow-span are about a file: give --from-csv, or leave them out.")

    def csv(self, max_days_old: int) -> CsvOptions:
        """How the file is read."""
        return CsvOptions(self.date_order, self.allow_span, max_days_old)

    def check_age(self, max_days_old: int) -> None:
        """Raise CsatError if the stream would reject the first responses of the simulated history."""
        if self.history_days >= max_days_old:
            raise CsatError(
                f"--days {self.history_days} begins more than {max_days_old:,} days ago (CSAT_MAX_DAYS_OLD): "
                "the stream rejects such responses",
                f"give {max_days_old - 1} or less",
            )

    @property
    def history_days(self) -> int:
        """Days of simulated history; 0 for none."""
        if self.from_csv is not None:
            return 0
        return self.days or (1 if self.rate is None else 0)

    def history_events(self, events_per_day: int) -> int:
        """Events of the simulated history."""
        return 0 if self.history_days == 0 else self.events or self.history_days * events_per_day
