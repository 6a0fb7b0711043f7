"""The agents and their true performance, derived only from the seed."""

from dataclasses import dataclass

import numpy as np

from producer.cases import Floats, satisfied_rates
from producer.profile import Profile, Team
from producer.words import FIRST_NAMES, LAST_NAMES

# A separate stream of random numbers for the agents, independent of other draws.
_AGENTS_STREAM = 1


@dataclass(frozen=True)
class Agent:
    """One agent; `effect` adds to the team's on the satisfied logit; `weight` is the share of all responses."""

    agent_id: str
    agent_name: str
    supervisor_name: str
    team: Team
    effect: float
    weight: float


def build_agents(profile: Profile, seed: int) -> tuple[Agent, ...]:
    """All agents, ordered by id."""
    rng = np.random.default_rng([seed, _AGENTS_STREAM])
    teams = [team for team in profile.teams for _ in range(team.agents)]
    supervisors = [name for name, agents in profile.supervisors for _ in range(agents)]
    pairs = rng.choice(len(FIRST_NAMES) * len(LAST_NAMES), size=len(teams), replace=False)
    volumes = rng.gamma(profile.volume_shape, size=len(teams))
    effects = rng.normal(0, profile.scores.agent_effect_sd, size=len(teams))
    team_order, supervisor_order = rng.permutation(len(teams)), rng.permutation(len(supervisors))
    return tuple(
        Agent(
            agent_id=f"agent-{index + 1:04d}",
            agent_name=f"{FIRST_NAMES[pairs[index] % len(FIRST_NAMES)]} {LAST_NAMES[pairs[index] // len(FIRST_NAMES)]}",
            supervisor_name=supervisors[supervisor_order[index]],
            team=teams[team_order[index]],
            effect=float(effects[index]),
            weight=float(volumes[index] / volumes.sum()),
        )
        for index in range(len(teams))
    )


def agent_logits(agents: tuple[Agent, ...]) -> Floats:
    """Each agent's contribution to the satisfied logit: their own effect and the team's."""
    return np.array([agent.effect + agent.team.effect for agent in agents])


def agent_truths(profile: Profile, agents: tuple[Agent, ...]) -> dict[str, dict[str, float]]:
    """By agent id: true_csat_rate (over all kinds of cases), effect (on the logit) and weight (share of responses)."""
    rates = satisfied_rates(profile, agent_logits(agents))
    return {
        agent.agent_id: {"true_csat_rate": float(rate), "effect": agent.effect, "weight": agent.weight}
        for agent, rate in zip(agents, rates, strict=True)
    }
