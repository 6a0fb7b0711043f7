"""Sends rejected messages again, byte for byte, once the cause of the rejection is fixed.

A message is sent again once: what is sent is noted in csat_ops.replays, in steps, as the broker confirms it. A kill
between the two sends one step twice; a response that lands twice still counts once in the marts.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kafka import KafkaProducer

from csat.bigquery.client import Warehouse
from csat.bigquery.rejected import Rejected, record_replayed, unreplayed
from csat.contract.settings import Settings
from producer.kafka_client import CreateClient
from producer.message import Message
from producer.publish import Publisher

ORIGIN_HEADER = "csat-replayed-from"  # topic/partition/offset
_STEP = 1_000


@dataclass(frozen=True)
class ReplayReport:
    """How many rejected messages were sent again."""

    replayed: int

    def as_dict(self) -> dict[str, int]:
        """The report as JSON values."""
        return {"replayed": self.replayed}


def replay(
    settings: Settings, which: Rejected, limit: int, create_client: CreateClient = KafkaProducer
) -> ReplayReport:
    """Send rejected messages that were never replayed, oldest first.

    Raises CsatError and WarehouseError; what the broker has confirmed by then is noted.
    """
    sent = 0
    with Warehouse(settings) as warehouse:
        for rows in _steps(unreplayed(warehouse, which, limit)):
            with Publisher(settings, lambda message: None, create_client) as publisher:
                publisher.send([message_of(row) for row in rows])
            record_replayed(warehouse, rows, datetime.now(UTC))
            sent += len(rows)
    return ReplayReport(sent)


def message_of(row: dict[str, Any]) -> Message:
    """The message of a rejected row: its bytes, with its origin as a header."""
    origin = f"{row['kafka_topic']}/{row['kafka_partition']}/{row['kafka_offset']}"
    payload = bytes(row["payload"])
    return Message(key=_key(payload), value=payload, answered_ms=0, headers=((ORIGIN_HEADER, origin.encode()),))


def _key(payload: bytes) -> bytes:
    """The agent id as the producer would set it, if the payload contains it."""
    try:
        event = json.loads(payload)
    except (ValueError, RecursionError):
        return b""
    agent = event.get("agent_id") if isinstance(event, dict) else None
    return agent.encode(errors="replace") if isinstance(agent, str) else b""


def _steps(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(rows), _STEP):
        yield rows[start : start + _STEP]
