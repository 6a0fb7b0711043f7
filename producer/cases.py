"""Cases as columns: topic, first reply time, response time stamp, and the probability of a satisfied response."""

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Self

import numpy as np
import numpy.typing as npt

from producer.profile import FIRST_REPLY_BUCKETS, Channel, Profile

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MINUTE_MS = 60_000
# The survey response follows soon after the reply: in the source, always on the same date.
MEAN_DELAY_MS = 8 * MINUTE_MS
# Maximum time from report to survey response that a history covers.
LEAD_IN = timedelta(days=5)
_CANDIDATES = 100_000
_BUCKET_ENDS = [end for end in FIRST_REPLY_BUCKETS.values() if end is not None]


@dataclass(frozen=True)
class Cases:
    """Columns of equal length.

    Indexes into the profile's sub-categories and channels, minutes from report to response, milliseconds from response
    to survey response, and the response time (milliseconds since 1970).
    """

    sub_category: Integers
    channel: Integers
    first_reply_minutes: Integers
    delay_ms: Integers
    answered_ms: Integers

    def __len__(self) -> int:
        return len(self.answered_ms)

    def take(self, rows: slice | Integers) -> Self:
        """These rows only."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    def answered_at(self, moments_ms: Integers | int) -> Self:
        """The same cases with these survey response times."""
        return replace(self, answered_ms=np.zeros(len(self), dtype=np.int64) + moments_ms)


def pick(rng: np.random.Generator, shares: npt.ArrayLike, count: int) -> Integers:
    """`count` indexes drawn by share; the shares need not sum to 1."""
    cumulated = np.cumsum(np.asarray(shares, dtype=np.float64))
    return np.searchsorted(cumulated / cumulated[-1], rng.random(count), side="right").astype(np.int64)


def first_reply_minutes(channel: Channel, draws: Floats) -> Integers:
    """Whole minutes, as in the source, at these quantiles (0 to 1) of the channel's distribution."""
    shares, minutes = zip(*channel.response_quantiles, strict=True)
    return np.expm1(np.interp(draws, shares, np.log1p(minutes)) + 1e-9).astype(np.int64)


def first_reply_buckets(minutes: Integers) -> Integers:
    """Index of each first reply time's bucket in FIRST_REPLY_BUCKETS."""
    return np.searchsorted(_BUCKET_ENDS, minutes, side="left").astype(np.int64)


def draw_cases(profile: Profile, rng: np.random.Generator, count: int) -> Cases:
    """`count` cases without dates yet: `answered_ms` is 0."""
    sub_category = pick(rng, [kind.share for kind in profile.sub_categories], count)
    shares = np.cumsum([kind.channel_shares for kind in profile.sub_categories], axis=1)
    bounds = (shares / shares[:, -1:])[sub_category]
    channel = (rng.random(count)[:, np.newaxis] >= bounds).sum(axis=1).astype(np.int64)
    draws = rng.random(count)
    minutes = np.zeros(count, dtype=np.int64)
    for index, kind in enumerate(profile.channels):
        minutes[channel == index] = first_reply_minutes(kind, draws[channel == index])
    delay = rng.exponential(MEAN_DELAY_MS, count).astype(np.int64)
    return Cases(sub_category, channel, minutes, delay, np.zeros(count, dtype=np.int64))


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def history_cases(profile: Profile, rng: np.random.Generator, count: int, start: datetime, end: datetime) -> Cases:
    """`count` cases with survey responses from `start` to `end`, both inclusive, in order of response.

    Reports follow the profile's hours and weekdays; a case is kept if its response falls between the two.
    """
    first_hour = (start - LEAD_IN).replace(minute=0, second=0, microsecond=0)
    hours = [first_hour + timedelta(hours=hour) for hour in range((end - first_hour) // timedelta(hours=1) + 1)]
    weights = [profile.hour_shares[hour.hour] * profile.weekday_weights[hour.weekday()] for hour in hours]
    parts: list[Cases] = []
    missing = count
    while missing > 0:
        cases = draw_cases(profile, rng, _CANDIDATES)
        minutes = pick(rng, weights, _CANDIDATES) * 60 + rng.integers(60, size=_CANDIDATES)
        responded = milliseconds(first_hour) + (minutes + cases.first_reply_minutes) * MINUTE_MS
        answered = responded + cases.delay_ms
        inside = (answered >= milliseconds(start)) & (answered <= milliseconds(end))
        parts.append(cases.answered_at(answered).take(np.flatnonzero(inside)[:missing]))
        missing -= len(parts[-1])
    history = Cases(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Cases)))
    return history.take(np.argsort(history.answered_ms, kind="stable"))


def satisfied_rates(profile: Profile, logits: Floats) -> Floats:
    """The share of satisfied responses (4 or 5) for each of these logits over the whole mix of cases."""
    grid = (np.arange(10_000) + 0.5) / 10_000
    rates = np.zeros(len(logits))
    for index, channel in enumerate(profile.channels):
        buckets = np.bincount(
            first_reply_buckets(first_reply_minutes(channel, grid)), minlength=len(FIRST_REPLY_BUCKETS)
        )
        for bucket, share in enumerate(buckets / len(grid)):
            for kind in profile.sub_categories:
                weight = kind.share * kind.channel_shares[index] / sum(kind.channel_shares) * share
                constant = kind.effect + channel.effect + profile.scores.bucket_effects[bucket]
                rates += weight * sigmoid(profile.scores.intercept + constant + logits)
    return rates


def sigmoid(logits: Floats) -> Floats:
    """The logistic function."""
    return np.asarray(1 / (1 + np.exp(-logits)))
