"""How often the interval of the difference from the expected CSAT contains the true one: 95 times in 100, as it says.

Simulated with the recount's formula, which the tests of the marts compare with the SQL.
"""

import random

import pytest

from tests.integration.marts.recount import difference

CASES = 3_000
LEVELS = (0.9, 0.75, 0.6)  # the true CSAT of the others, by kind of case


def satisfied(chance: random.Random, count: int, rate: float) -> int:
    """How many of these responses are satisfied."""
    return sum(chance.random() < rate for _ in range(count))


def share_of_hits(own: tuple[int, int, int], others: tuple[int, int, int], effect: float) -> float:
    """The share of simulated agents whose interval has the true difference; `effect` is the agent's."""
    chance, hits = random.Random(7), 0
    for _ in range(CASES):
        mix = {(str(kind), ""): (own[kind], satisfied(chance, own[kind], LEVELS[kind] + effect)) for kind in range(3)}
        rest = {(str(kind), ""): (others[kind], satisfied(chance, others[kind], LEVELS[kind])) for kind in range(3)}
        _, _, low, high = difference(mix, rest)
        hits += low <= effect <= high
    return hits / CASES


@pytest.mark.parametrize("effect", [-0.1, 0.0, 0.08])
@pytest.mark.parametrize(
    ("own", "others"),
    [((10, 6, 4), (300, 200, 100)), ((60, 30, 10), (900, 500, 200)), ((20, 20, 20), (30, 20, 20))],
    ids=["few responses", "many responses", "few responses of others"],
)
def test_interval_of_the_difference_has_the_true_one_as_often_as_it_says(
    own: tuple[int, int, int], others: tuple[int, int, int], effect: float
) -> None:
    assert 0.94 <= share_of_hits(own, others, effect) <= 0.985
