"""The leaderboard finds the truly good agents: one seed here, more in `make bench-fairness`.

The board is the recount's, which the other tests hold equal to the mart's.
"""

from typing import Any

import pytest
from pyarrow import parquet

from bench import fairness
from bench.fairness import OTHERS, OURS
from tests.integration.marts import recount

pytestmark = pytest.mark.integration
Board = list[dict[str, Any]]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Board, dict[str, float]]:
    """The last day's board over four weeks of a simulation, and each agent's true CSAT."""
    file, truths = fairness.simulate(1, tmp_path_factory.mktemp("fairness"))
    answers = recount.responses(parquet.read_table(file).to_pylist())
    board = recount.agent_board(recount.within(answers, answers["day"].max(), fairness.DAYS))
    return [{"agent_id": agent, **figures} for agent, figures in board.items()], dict(truths)


def test_first_places_are_the_best_agents_and_no_other_order_finds_more(
    simulated: tuple[Board, dict[str, float]],
) -> None:
    found = fairness.figures(*simulated)
    assert found[OURS.name] >= 0.8
    assert all(found[OURS.name] >= found[order.name] for order in OTHERS)
    assert found["plain CSAT"] < 0.5


def test_intervals_hold_the_truth_as_often_as_they_say(simulated: tuple[Board, dict[str, float]]) -> None:
    assert 0.93 <= fairness.figures(*simulated)["covered"] <= 0.97


def agent(name: str, **figures: Any) -> dict[str, Any]:
    return {"agent_id": name, "csat_rate": 0.5, "is_ranked": True, "leaderboard_rank": 1, **figures}


def test_agents_of_equal_score_share_the_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "PLACES", 2)
    board = [agent("first", csat_rate=0.9), *(agent(name) for name in ("a", "b", "c", "d"))]
    assert fairness.hit_rate(board, OTHERS[0], {"first", "a"}) == (1 + 0.25) / 2


def test_agents_without_a_score_have_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "PLACES", 1)
    board = [agent("few", csat_rate=1.0, is_ranked=False), agent("many", csat_rate=0.9)]
    assert fairness.hit_rate(board, OTHERS[2], {"many"}) == 1


def test_best_agents_are_the_best_tenth_by_the_truth() -> None:
    assert fairness.best_agents({f"a{number}": number / 30 for number in range(30)}) == {"a27", "a28", "a29"}
