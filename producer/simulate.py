"""Events from a seed and a clock only: the same two give the same bytes."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from producer.agents import agent_logits, agent_truths, build_agents
from producer.cases import Cases, draw_cases, history_cases, milliseconds
from producer.event_text import build_fragments, event_texts
from producer.message import Message
from producer.profile import Profile, load_profile
from producer.remarks import remark_pool
from producer.responses import ResponseModel
from producer.words import OTHER_CITIES

# Events of a history per draw.
BLOCK = 5_000
# Separate streams of random numbers, so that draws of one part do not affect another; the agents have stream 1.
_REMARKS_STREAM, _HISTORY_STREAM, _LIVE_STREAM = 2, 3, 4


class Simulator:
    """The simulated world of one seed: its agents, and events about them."""

    def __init__(self, seed: int, profile: Profile | None = None) -> None:
        self._seed = seed
        self._profile = profile or load_profile()
        self.agents = build_agents(self._profile, seed)
        self._keys = [agent.agent_id.encode() for agent in self.agents]
        cities, city_shares = _cities(self._profile)
        rng = np.random.default_rng([seed, _REMARKS_STREAM])
        remarks = {mood: remark_pool(self._profile, rng, is_satisfied=mood) for mood in (True, False)}
        self._fragments = build_fragments(self._profile, self.agents, cities, remarks)
        self._model = ResponseModel(
            self._profile,
            np.array([agent.weight for agent in self.agents]),
            agent_logits(self.agents),
            np.array(city_shares),
        )

    def truths(self) -> dict[str, dict[str, float]]:
        """Each agent's true_csat_rate, effect and weight, by agent id: see agent_truths."""
        return agent_truths(self._profile, self.agents)

    def history(self, count: int, start: datetime, end: datetime) -> Iterator[Message]:
        """`count` events with survey responses from `start` to `end`, in order of response."""
        rng = np.random.default_rng([self._seed, _HISTORY_STREAM, milliseconds(end)])
        cases = history_cases(self._profile, rng, count, start, end)
        for first in range(0, count, BLOCK):
            yield from self._messages(rng, cases.take(slice(first, first + BLOCK)))

    def live(self, first: int, count: int, answered_at: datetime) -> Iterator[Message]:
        """`count` events with one response time; `first` is the number of earlier live events."""
        moment = milliseconds(answered_at)
        rng = np.random.default_rng([self._seed, _LIVE_STREAM, moment, first])
        cases = draw_cases(self._profile, rng, count)
        yield from self._messages(rng, cases.answered_at(moment))

    def _messages(self, rng: np.random.Generator, cases: Cases) -> Iterator[Message]:
        responses = self._model.draw(rng, cases)
        texts = event_texts(self._fragments, rng, cases, responses)
        for agent, answered_ms, text in zip(responses.agent.tolist(), cases.answered_ms.tolist(), texts, strict=True):
            yield Message(self._keys[agent], text.encode(), answered_ms)


def _cities(profile: Profile) -> tuple[list[str], list[float]]:
    """The profile's cities, and others that share the rest in decreasing shares."""
    names = [name for name, _ in profile.city_shares]
    shares = [share for _, share in profile.city_shares]
    weights = [1 / rank for rank in range(len(names), len(names) + len(OTHER_CITIES))]
    rest = [(1 - sum(shares)) * weight / sum(weights) for weight in weights]
    return [*names, *OTHER_CITIES], [*shares, *rest]
