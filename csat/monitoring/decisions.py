"""What a person decides about a stream that must not continue by itself: to adopt another topic, or to accept a loss.

Both leave what has landed as it is, and move the checkpoint away: the next driver starts after the landed rows.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from csat.bigquery.client import Warehouse
from csat.bigquery.positions import accept, expired, landed_offsets, name_older_rows
from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.control.checkpoint_topic import CheckpointTopic, read_topic, retire
from csat.control.state_files import StateFiles
from csat.control.verdict import Policy, State
from csat.kafka.offsets import Gap, kafka_offsets
from csat.kafka.topic_id import Topic, describe_topic
from csat.monitoring.checkpoint import committed_offsets


@dataclass(frozen=True)
class Adoption:
    """The topic that the checkpoint is of, and the one that takes its place."""

    before: CheckpointTopic
    after: Topic


def find_change(settings: Settings, now: datetime) -> Adoption:
    """The change of topic that waits for a decision. Raises CsatError, KafkaAccessError and OSError."""
    _require_no_driver(settings, now)
    topic, kept = describe_topic(settings), read_topic(settings.checkpoint)
    if kept is None:
        raise CsatError(f"{settings.checkpoint} has no topic yet: the next driver takes {topic.name}")
    if (kept.name, kept.topic_id, kept.cluster_id) == (topic.name, topic.topic_id, topic.cluster_id):
        offsets = {number: here.end for (*_, number), here in kafka_offsets(settings, [topic.name]).items()}
        committed = committed_offsets(settings.checkpoint, topic.name)
        if all(offsets.get(number, 0) >= offset for number, offset in committed.items()):
            raise CsatError(f"{topic.name} with id {topic.topic_id} is the topic that the stream reads")
        raise CsatError(f"the log of {topic.name} was emptied", "delete the topic and create it again first")
    return Adoption(kept, topic)


def adopt(settings: Settings, warehouse: Warehouse, adoption: Adoption, now: datetime) -> str:
    """Let the next driver read the topic of today from its first record; returns where the old checkpoint is now."""
    name_older_rows(warehouse, adoption.before.name, adoption.before.topic_id)
    return retire(settings.checkpoint, f"{now:%Y%m%dT%H%M%SZ}")


def find_expired(settings: Settings, warehouse: Warehouse, now: datetime) -> list[Gap]:
    """The records that Kafka deleted before they landed. Raises CsatError and what its sources raise."""
    _require_no_driver(settings, now)
    topic = describe_topic(settings)
    wanted = committed_offsets(settings.checkpoint, topic.name) or {
        number: offset + 1 for number, offset in landed_offsets(warehouse, topic.name, topic.topic_id).items()
    }
    starts = {number: here.start for (*_, number), here in kafka_offsets(settings, [topic.name]).items()}
    gaps = expired(topic.name, topic.topic_id, wanted, starts)
    if not gaps:
        raise CsatError(f"no record of {topic.name} expired before it landed: there is nothing to accept")
    return gaps


def accept_loss(settings: Settings, warehouse: Warehouse, gaps: list[Gap], reason: str, now: datetime) -> str:
    """Record the loss, and let the next driver start after it; returns where the old checkpoint is now."""
    accept(warehouse, gaps, reason, now)
    return retire(settings.checkpoint, f"{now:%Y%m%dT%H%M%SZ}")


def _require_no_driver(settings: Settings, now: datetime) -> None:
    heartbeat = StateFiles(settings.state_files).heartbeat()
    if heartbeat is None or heartbeat.state is not State.RUNNING:
        return
    if now - heartbeat.at <= timedelta(seconds=Policy.of(settings).stale):
        raise CsatError("the stream runs: there is nothing to decide")
