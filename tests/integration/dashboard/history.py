"""A simulated history as rows of the landing table, without Kafka and Spark."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from producer.message import Message
from producer.profile import Profile, load_profile
from producer.simulate import Simulator

Rows = list[dict[str, Any]]

PARTITIONS = 4


def small_profile(share: float) -> Profile:
    """The real profile with fewer agents, so that each has enough responses for a rank in a small history."""
    profile = load_profile()
    teams = tuple(replace(team, agents=max(1, round(team.agents * share))) for team in profile.teams)
    return replace(profile, teams=teams)


def history(count: int, days: int, end: datetime, seed: int = 1, share: float = 0.03) -> Rows:
    """`count` landed responses of the last days before `end`; the stream read each 5 s after the customer answered."""
    simulator = Simulator(seed, small_profile(share))
    messages = simulator.history(count, end - timedelta(days=days), end)
    return [landed(message, number, ingested_after=timedelta(seconds=5)) for number, message in enumerate(messages)]


def live(count: int, answered_at: datetime, first: int, seed: int = 1, share: float = 0.03) -> Rows:
    """`count` landed responses of this moment; `first` is the number of messages before them."""
    messages = islice(Simulator(seed, small_profile(share)).live(0, count, answered_at), count)
    return [landed(message, first + number) for number, message in enumerate(messages)]


def landed(message: Message, number: int, ingested_after: timedelta = timedelta()) -> dict[str, Any]:
    """The landing row of an accepted message."""
    answered_at = datetime.fromtimestamp(message.answered_ms / 1000, UTC)
    sent: dict[str, Any] = json.loads(message.value)
    return sent | {
        "kafka_topic": "messages",
        "kafka_partition": number % PARTITIONS,
        "kafka_offset": number // PARTITIONS,
        "kafka_timestamp": answered_at,
        "ingested_at": answered_at + ingested_after,
        "batch_id": "history",
    }


def rejected(at: datetime, number: int) -> dict[str, Any]:
    """The landing row of a message that is not UTF-8."""
    return {
        "kafka_topic": "messages",
        "kafka_partition": number % PARTITIONS,
        "kafka_offset": number // PARTITIONS,
        "kafka_timestamp": at,
        "ingested_at": at,
        "batch_id": "history",
        "rejection_reason": "not UTF-8",
        "payload": "/w==",
    }
