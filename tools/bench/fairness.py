"""Whether the leaderboard finds the truly good agents, and its intervals are right: `python -m tools.bench.fairness`.

The simulator knows each agent's true CSAT. For each seed, four weeks of its responses land in an emulator, dbt builds
agent_leaderboard, and the 28-day leaderboard of the last day is compared with the truth. Every order is by a column of
that leaderboard: nothing is computed here that the mart computes.

ceiling: the order by the probability to be in the best tenth, given the true distribution of the agents

hit:     share of an order's first 20 agents who truly belong to the best tenth of all; equal scores share their places
covered: share of agents whose true CSAT lies in the interval of the leaderboard
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from csat.contract.settings import Settings
from csat.marts import build as marts
from producer.profile import load_profile
from producer.simulate import Simulator
from tools.bench import emulator as emulators
from tools.bench.history import load, write_messages
from tools.bench.results import markdown, write

DAYS = 28
END = datetime(2026, 11, 1, tzinfo=UTC) - timedelta(milliseconds=1)
PLACES = 20
_DRAWS = 4_000
BEST_SHARE = 0.1
_LEADERBOARD_SQL = """
select * from `{table}`
where window_id = '28d' and leaderboard_date = (select max(leaderboard_date) from `{table}`)
"""

Agent = Mapping[str, Any]
Truths = Mapping[str, float]


@dataclass(frozen=True)
class Order:
    """A way to order the agents: by a figure, the greatest first; None excludes the agent."""

    name: str
    score: Callable[[Agent], float | None]


OURS = Order("this leaderboard", lambda agent: -agent["leaderboard_rank"] if agent["is_ranked"] else None)
OTHERS = (
    Order("plain CSAT", lambda agent: agent["csat_rate"]),
    Order("plain average score", lambda agent: agent["average_score"]),
    Order("CSAT, minimum of responses", lambda agent: agent["csat_rate"] if agent["is_ranked"] else None),
    Order("Wilson's lower bound", lambda agent: agent["wilson_low"]),
)


def simulate(seed: int, folder: Path) -> tuple[Path, Truths]:
    """A file with the landing rows of four weeks at the real volume, and each agent's true CSAT."""
    simulator = Simulator(seed)
    count = DAYS * load_profile().responses_per_day
    file = folder / f"seed-{seed}.parquet"
    write_messages(file, simulator.history(count, END - timedelta(days=DAYS), END), first_offset=0)
    return file, {agent: truth["true_csat_rate"] for agent, truth in simulator.truths().items()}


def best_agents(truths: Truths) -> set[str]:
    """The best tenth of all agents, by the truth."""
    return set(sorted(truths, key=lambda agent: -truths[agent])[: round(len(truths) * BEST_SHARE)])


def hit_rate(leaderboard: Sequence[Agent], order: Order, best: set[str]) -> float:
    """Share of the first places that the best have; agents of equal score share the remaining places."""
    scores = {agent["agent_id"]: score for agent in leaderboard if (score := order.score(agent)) is not None}
    hits, places = 0.0, PLACES
    for _, group in groupby(sorted(scores, key=lambda agent: -scores[agent]), key=lambda agent: scores[agent]):
        equals = list(group)
        taken = min(places, len(equals))
        hits += taken * len(best.intersection(equals)) / len(equals)
        places -= taken
    return hits / PLACES


def ceiling(leaderboard: Sequence[Agent], truths: Truths) -> Order:
    """The order by the probability to be in the best tenth, given the true mean and variance of the agents."""
    rates = np.array(list(truths.values()))
    weight = rates.mean() * (1 - rates.mean()) / rates.var() - 1
    cut = np.sort(rates)[-len(best_agents(truths))]
    rng = np.random.default_rng(1)
    chances = {}
    for agent in leaderboard:
        satisfied = agent["satisfied_count"] + weight * rates.mean()
        other = agent["response_count"] - agent["satisfied_count"] + weight * (1 - rates.mean())
        chances[agent["agent_id"]] = float((rng.beta(satisfied, other, _DRAWS) >= cut).mean())
    return Order("ceiling", lambda agent: chances[agent["agent_id"]])


def covered_share(leaderboard: Sequence[Agent], truths: Truths) -> float:
    """Share of the agents whose true CSAT lies in their interval."""
    inside: list[bool] = [
        agent["wilson_low"] <= truths[agent["agent_id"]] <= agent["wilson_high"] for agent in leaderboard
    ]
    return sum(inside) / len(inside)


def measure(settings: Settings, seed: int) -> dict[str, float]:
    """Hit rate of every order and the share covered, for the leaderboard of one seed in the marts."""
    own = settings.model_copy(update={"dataset_prefix": f"seed{seed}"})
    file, truths = simulate(seed, settings.state)
    with emulators.empty_warehouse(own) as warehouse:
        load(warehouse, [file])
        marts.build(own, select="+agent_leaderboard", on_progress=lambda line: None)
        leaderboard = warehouse.rows(_LEADERBOARD_SQL.format(table=own.table("marts", "agent_leaderboard")))
    return figures(leaderboard, truths)


def figures(leaderboard: Sequence[Agent], truths: Truths) -> dict[str, float]:
    """The results of one leaderboard: the hit rate by the name of the order, and `covered`."""
    best = best_agents(truths)
    return {
        order.name: hit_rate(leaderboard, order, best) for order in (OURS, *OTHERS, ceiling(leaderboard, truths))
    } | {"covered": covered_share(leaderboard, truths)}


def summary(by_seed: Sequence[Mapping[str, float]]) -> list[dict[str, Any]]:
    """A row per order: its mean hit rate, and `ahead`, the mean lead of ours, paired by seed; the noise of each.

    Noise is the mean's standard error over the seeds.
    """
    rows = []
    for name in (OURS.name, *(order.name for order in OTHERS), "ceiling"):
        hits = [seed[name] for seed in by_seed]
        ahead = [seed[OURS.name] - seed[name] for seed in by_seed]
        rows.append(
            {"order": name, "hit": statistics.mean(hits), "hit_noise": _noise(hits)}
            | {"ahead": statistics.mean(ahead), "ahead_noise": _noise(ahead)}
        )
    return rows


def _noise(figures: Sequence[float]) -> float:
    return statistics.stdev(figures) / len(figures) ** 0.5 if len(figures) > 1 else 0.0


def main() -> None:
    """Measure the seeds and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--results", type=Path, help="file for the results, as JSON")
    options = parser.parse_args()
    by_seed = []
    with tempfile.TemporaryDirectory(prefix="csat-fairness-") as folder:
        settings = emulators.own_settings(Path(folder))
        with emulators.dbt_ready(settings), emulators.emulator(settings):
            for seed in range(1, options.seeds + 1):
                began = time.monotonic()
                by_seed.append({"seed": seed, **measure(settings, seed)})
                print(f"seed {seed} of {options.seeds}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(markdown(summary(by_seed)))
    print(markdown([{"seed": row["seed"], "covered": row["covered"]} for row in by_seed]))
    print(f"covered on average: {statistics.mean(row['covered'] for row in by_seed):.3f}")
    if options.results:
        write(options.results, [*summary(by_seed), *by_seed])


if __name__ == "__main__":
    main()
