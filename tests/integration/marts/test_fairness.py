"""The leaderboard finds the truly good agents: one seed here, more in `make bench NAME=fairness`.

The leaderboard is from the recount, which other tests compare with the mart.
"""

from typing import Any

import pytest
from pyarrow import parquet

from tests.integration.marts import recount
from tools.bench import fairness
from tools.bench.fairness import OTHERS, OURS

pytestmark = pytest.mark.integration
Leaderboard = list[dict[str, Any]]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Leaderboard, dict[str, float]]:
    """The leaderboard of the last day over four weeks of a simulation, and each agent's true CSAT."""
    file, truths = fairness.simulate(1, tmp_path_factory.mktemp("fairness"))
    responses = recount.responses(parquet.read_table(file).to_pylist())
    leaderboard = recount.agent_leaderboard_rows(recount.within(responses, responses["day"].max(), fairness.DAYS))
    return [{"agent_id": agent, **figures} for agent, figures in leaderboard.items()], dict(truths)


def test_first_places_are_the_best_agents_and_no_other_order_finds_more(
    simulated: tuple[Leaderboard, dict[str, float]],
) -> None:
    found = fairness.figures(*simulated)
    assert found[OURS.name] >= 0.8
    assert all(found[OURS.name] >= found[order.name] for order in OTHERS)
    assert found["plain CSAT"] < 0.5


def test_intervals_contain_the_true_csat_as_often_as_stated(simulated: tuple[Leaderboard, dict[str, float]]) -> None:
    assert 0.93 <= fairness.figures(*simulated)["covered"] <= 0.97


def agent(name: str, **figures: Any) -> dict[str, Any]:
    return {"agent_id": name, "csat_rate": 0.5, "is_ranked": True, "leaderboard_rank": 1, **figures}


def test_agents_of_equal_score_share_the_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "PLACES", 2)
    leaderboard = [agent("first", csat_rate=0.9), *(agent(name) for name in ("a", "b", "c", "d"))]
    assert fairness.hit_rate(leaderboard, OTHERS[0], {"first", "a"}) == (1 + 0.25) / 2


def test_agents_without_a_score_have_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "PLACES", 1)
    leaderboard = [agent("few", csat_rate=1.0, is_ranked=False), agent("many", csat_rate=0.9)]
    assert fairness.hit_rate(leaderboard, OTHERS[2], {"many"}) == 1


def test_best_agents_are_the_best_tenth_by_the_truth() -> None:
    assert fairness.best_agents({f"a{number}": number / 30 for number in range(30)}) == {"a27", "a28", "a29"}
