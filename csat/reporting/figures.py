"""Rates, intervals and changes for any range of dates, by the marts' formulas: the marts have their windows only."""

import math
from dataclasses import dataclass

from csat.reporting.definitions import variables


@dataclass(frozen=True)
class Tally:
    """Responses, and how many of them were satisfied."""

    responses: int
    satisfied: int

    @property
    def csat_rate(self) -> float | None:
        """CSAT; None without responses."""
        return self.satisfied / self.responses if self.responses else None

    @property
    def dissatisfied(self) -> int:
        """Responses of 1 to 3."""
        return self.responses - self.satisfied

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.responses + other.responses, self.satisfied + other.satisfied)


NO_RESPONSES = Tally(0, 0)


@dataclass(frozen=True)
class Interval:
    """The two ends of a 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Change:
    """A difference of two rates (0.01 is a percentage point) with its interval."""

    difference: float
    interval: Interval
    is_significant: bool | None


def wilson_interval(tally: Tally) -> Interval | None:
    """Wilson's interval of CSAT, as in agent_leaderboard; None without responses."""
    rate, count, z = tally.csat_rate, tally.responses, variables().z
    if rate is None:
        return None
    centre = rate + z**2 / (2 * count)
    reach = z * math.sqrt(rate * (1 - rate) / count + z**2 / (4 * count**2))
    divisor = 1 + z**2 / count
    # The roots of a rate of 0 or 1 are exact; floats are not.
    low, high = (centre - reach) / divisor, (centre + reach) / divisor
    return Interval(min(rate, max(0.0, low)), max(rate, min(1.0, high)))


def change(now: Tally, before: Tally) -> Change | None:
    """How CSAT moved from `before` to `now`; None where either has no responses.

    The interval is Newcombe's, from the two Wilson intervals. Significance is as in category_ranking: the pooled
    two-proportion test, with enough responses on both sides; None where there is no test.
    """
    rate, other_rate = now.csat_rate, before.csat_rate
    own, other = wilson_interval(now), wilson_interval(before)
    if rate is None or other_rate is None or own is None or other is None:
        return None
    difference = rate - other_rate
    interval = Interval(
        difference - math.hypot(rate - own.low, other.high - other_rate),
        difference + math.hypot(own.high - rate, other_rate - other.low),
    )
    return Change(difference, interval, _is_significant(now, before))


def _is_significant(now: Tally, before: Tally) -> bool | None:
    both = now + before
    pooled = both.csat_rate
    if pooled is None or min(now.responses, before.responses) < variables().minimum_comparison_responses:
        return None
    error = math.sqrt(pooled * (1 - pooled) * (1 / now.responses + 1 / before.responses))
    assert now.csat_rate is not None
    assert before.csat_rate is not None
    return abs(now.csat_rate - before.csat_rate) / error >= variables().z if error else None
