"""What a person decides about a stream that must not continue by itself: to adopt another topic, or to accept a loss.

Both leave what has landed as it is, and move the checkpoint away: the next driver starts after the landed rows.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from csat.bigquery.client import Warehouse
from csat.bigquery.landed_records import replaced_partitions
from csat.bigquery.positions import accept, name_older_rows, wanted_and_expired
from csat.contract.ages import age
from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.control.checkpoint_topic import CheckpointTopic, read_topic, retire, topic_of_offsets, write_topic
from csat.control.shown_loss import ExpiredRange, ShownLoss
from csat.control.state_files import StateFiles
from csat.control.verdict import Policy, State
from csat.kafka.offsets import Gap, kafka_offsets, without
from csat.kafka.topic_id import Topic, describe_topic
from csat.monitoring.checkpoint import checkpoint_offsets, committed_offsets


@dataclass(frozen=True)
class Adoption:
    """The topic that the checkpoint is of, and the one that takes its place."""

    before: CheckpointTopic
    after: Topic


def find_change(settings: Settings, now: datetime) -> Adoption:
    """The change of topic that waits for a decision. Raises CsatError, KafkaAccessError and OSError."""
    _require_no_driver(settings, now)
    topic, offsets = describe_topic(settings), checkpoint_offsets(settings.checkpoint)
    kept = read_topic(settings.checkpoint) or topic_of_offsets(offsets, topic.name)
    if kept is None:
        raise CsatError(f"{settings.checkpoint} has no topic yet: the next driver takes {topic.name}")
    if (kept.name, kept.topic_id, kept.cluster_id) == (topic.name, topic.topic_id, topic.cluster_id):
        if _is_log_replaced(settings, topic, offsets.get(topic.name, {})):
            text = f"the log of {topic.name} was emptied or lost its end"
            raise CsatError(text, "delete the topic and create it again first")
        raise CsatError(f"{topic.name} with id {topic.topic_id} is the topic that the stream reads")
    return Adoption(kept, topic)


def _is_log_replaced(settings: Settings, topic: Topic, committed: Mapping[int, int]) -> bool:
    """Whether the log of a partition is shorter than what was read, or another one than what has landed."""
    ends = {number: here.end for (*_, number), here in kafka_offsets(settings, [topic.name]).items()}
    if any(ends.get(number, 0) < offset for number, offset in committed.items()):
        return True
    with Warehouse(settings) as warehouse:
        return bool(replaced_partitions(warehouse, topic.name, topic.topic_id))


def adopt(settings: Settings, warehouse: Warehouse, adoption: Adoption, now: datetime) -> str:
    """Let the next driver read the topic of today from its first record; returns where the old checkpoint is now.

    Of a topic that was created again that is the first one ever, of another topic the first one that Kafka has now.
    """
    before, after = adoption.before, adoption.after
    is_created_again = (before.name, before.cluster_id) == (after.name, after.cluster_id)
    first = {number: 0 if is_created_again else start for number, start in _starts(settings, after).items()}
    name_older_rows(warehouse, before.name, before.topic_id)
    return _begin_again(settings, after, first, now)


def find_expired(settings: Settings, warehouse: Warehouse, now: datetime) -> list[Gap]:
    """The records that Kafka deleted before they landed, whose loss nobody has accepted.

    Raises CsatError and what its sources raise.
    """
    _require_no_driver(settings, now)
    topic = describe_topic(settings)
    _, gaps = _wanted_and_expired(settings, warehouse, topic, _starts(settings, topic))
    if not gaps:
        raise CsatError(f"no record of {topic.name} expired before it landed: there is nothing to accept")
    return gaps


def keep_shown(settings: Settings, gaps: list[Gap], shown_id: str) -> None:
    """Keep the loss under the id that it is shown with. Raises StateFileError."""
    ranges = tuple(ExpiredRange(**asdict(gap)) for gap in gaps)
    StateFiles(settings.state_files).write_shown_loss(ShownLoss(shown_id=shown_id, ranges=ranges))


def find_shown(settings: Settings, gaps: list[Gap], shown_id: str) -> list[Gap]:
    """The loss that was shown under this id, without what expired since then.

    `gaps` is what waits for a decision; raises CsatError if what was shown is no longer part of it.
    """
    loss = StateFiles(settings.state_files).shown_loss()
    if loss is None or loss.shown_id != shown_id:
        raise CsatError(f"no loss was shown as {shown_id}, or another one since then", "show it again")
    shown = [Gap(**one.model_dump()) for one in loss.ranges]
    if any(without(one, gaps) for one in shown):
        places = ", ".join(str(one) for one in loss.ranges)
        raise CsatError(f"what was shown ({places}) no longer waits for a decision", "show it again")
    others = sorted({gap.kafka_partition for gap in gaps} - {gap.kafka_partition for gap in shown})
    if others:  # nothing of them may have landed: without the checkpoint, nobody would know of their loss
        raise CsatError(f"since then records of partitions {others} expired, too", "show it again")
    return shown


def accept_loss(settings: Settings, warehouse: Warehouse, gaps: list[Gap], reason: str, now: datetime) -> str:
    """Record the loss, and let the next driver start after it; returns where the old checkpoint is now."""
    topic = describe_topic(settings)
    starts = _starts(settings, topic)
    wanted, _ = _wanted_and_expired(settings, warehouse, topic, starts)
    first = {number: wanted.get(number, start) for number, start in starts.items()}
    for gap in gaps:
        first[gap.kafka_partition] = max(first[gap.kafka_partition], gap.end_offset)
    accept(warehouse, gaps, reason, now)
    return _begin_again(settings, topic, first, now)


def _starts(settings: Settings, topic: Topic) -> dict[int, int]:
    """The first offset of each partition that Kafka has."""
    return {number: here.start for (*_, number), here in kafka_offsets(settings, [topic.name]).items()}


def _wanted_and_expired(
    settings: Settings, warehouse: Warehouse, topic: Topic, starts: Mapping[int, int]
) -> tuple[dict[int, int], list[Gap]]:
    committed = committed_offsets(settings.checkpoint, topic.name)
    kept = read_topic(settings.checkpoint)
    first = kept.first_offsets if kept else {}
    return wanted_and_expired(warehouse, topic.name, topic.topic_id, committed, first, starts)


def _begin_again(settings: Settings, topic: Topic, first: Mapping[int, int], now: datetime) -> str:
    """Let the next query begin at these offsets; returns where the old checkpoint is now."""
    moved = retire(settings.checkpoint, f"{now:%Y%m%dT%H%M%SZ}")
    write_topic(settings.checkpoint, CheckpointTopic(topic.name, topic.topic_id, topic.cluster_id, first))
    return moved


def _require_no_driver(settings: Settings, now: datetime) -> None:
    heartbeat = StateFiles(settings.state_files).heartbeat()
    if heartbeat is None or heartbeat.state is not State.RUNNING:
        return
    limit = timedelta(seconds=Policy.of(settings).stale)
    if age(heartbeat.at, now, limit) <= limit:
        raise CsatError("the stream runs: there is nothing to decide")
