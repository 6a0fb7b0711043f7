"""Customers' remarks: short made-up texts, as long as real ones."""

import numpy as np

from producer.cases import pick
from producer.profile import Profile
from producer.words import LONG_PHRASES, SHORT_PHRASES

REMARKS_PER_MOOD = 1_000
# Below this length, one short phrase is enough.
_SHORT_LENGTH = 12
_LONGEST = 1_000


def remark_pool(profile: Profile, rng: np.random.Generator, *, is_satisfied: bool) -> list[str]:
    """A pool of remarks of one sentiment, with the profile's lengths."""
    shares, lengths = zip((0.0, 2.0), *profile.remark_length_quantiles, (1.0, _LONGEST), strict=True)
    points = (np.arange(REMARKS_PER_MOOD) + 0.5) / REMARKS_PER_MOOD
    wanted = np.exp(np.interp(points, shares, np.log(lengths))).astype(int)
    return [_remark(rng, length, is_satisfied=is_satisfied) for length in wanted.tolist()]


def _remark(rng: np.random.Generator, length: int, *, is_satisfied: bool) -> str:
    if length < _SHORT_LENGTH:
        phrases = SHORT_PHRASES[is_satisfied]
        return phrases[pick(rng, 1 / (1 + np.abs(np.array([len(phrase) for phrase in phrases]) - length)), 1)[0]]
    phrases = LONG_PHRASES[is_satisfied]
    remark = phrases[rng.integers(len(phrases))]
    while len(remark) < length:
        remark += ", " + phrases[rng.integers(len(phrases))]
    # Cut between words, as people stop writing.
    end = remark.find(" ", length)
    return remark if end < 0 else remark[:end].rstrip(",")
