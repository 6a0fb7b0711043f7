"""Whether the stream may continue where it stopped.

(topic id, partition, offset) names a record; a topic's name alone does not.

What a person must decide stops the stream with an alert of its own: a topic that was created again, or whose log was
emptied, a checkpoint of another topic or cluster, and records that Kafka deleted before they landed.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, UnknownTopicOrPartitionError

from csat.bigquery.client import Warehouse, WarehouseOverQuotaError, WarehouseUnreachableError
from csat.bigquery.landed_records import replaced_partitions
from csat.bigquery.positions import expired, name_older_rows, wanted_and_expired
from csat.contract.alerts import AlertKey
from csat.contract.kafka_access import KafkaAccessError
from csat.contract.settings import Settings
from csat.control.checkpoint_topic import CheckpointTopic, retire, topic_of_offsets, write_topic
from csat.kafka.login import open_admin
from csat.kafka.offsets import Gap, Offsets, kafka_offsets
from csat.kafka.topic import topic_facts
from csat.kafka.topic_id import Topic, describe_topic, id_of_topic
from spark.decision import DecisionNeededError
from spark.waiting import KAFKA_SILENT, Waiting

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

ADOPT = "csat stream adopt-topic"
ACCEPT = "csat stream accept-loss"
_DELETED = "deleted"
_SILENT = "Kafka or BigQuery, which does not respond"
_RECREATE = f"delete the topic, create it again, then `{ADOPT}`"


def check_policy(topic: Topic, cleanup_policy: str) -> None:
    """Raise DecisionNeededError where Kafka deletes responses that a later one with the same key replaces."""
    if "compact" in cleanup_policy:
        raise DecisionNeededError(
            AlertKey.TOPIC_CHANGED,
            f"Topic {topic.name} has cleanup.policy={cleanup_policy}: compaction deletes responses",
            "set cleanup.policy=delete, or name another topic in CSAT_KAFKA_TOPIC",
        )


def check_topic(topic: Topic, kept: CheckpointTopic | None) -> None:
    """Raise DecisionNeededError where the topic is not the checkpoint's."""
    if kept is None or kept == CheckpointTopic(topic.name, topic.topic_id, topic.cluster_id):
        return
    change = f"topic {kept.name} with id {kept.topic_id} in cluster {kept.cluster_id}"
    raise DecisionNeededError(
        AlertKey.TOPIC_CHANGED,
        f"The checkpoint is of {change}; now it is {topic.name} with id {topic.topic_id} in cluster {topic.cluster_id}",
        f"correct CSAT_KAFKA_TOPIC or CSAT_KAFKA_BOOTSTRAP_SERVERS, or `{ADOPT}`",
    )


def check_expired(gaps: list[Gap]) -> None:
    """Raise DecisionNeededError where records expired and nobody has accepted their loss."""
    if not gaps:
        return
    places = ", ".join(f"partition {gap.kafka_partition}: {gap.first_offset} to {gap.end_offset - 1}" for gap in gaps)
    raise DecisionNeededError(
        AlertKey.RECORDS_EXPIRED,
        f"Kafka deleted {sum(gap.count for gap in gaps):,} records before they landed ({places})",
        f"restore them, or `{ACCEPT}`",
    )


@dataclass(frozen=True)
class Position:
    """What Kafka and the checkpoint say; `next_offsets` are the checkpoint's for the topic, empty without one."""

    topic: Topic
    kept: CheckpointTopic | None
    next_offsets: Mapping[int, int]
    offsets: Mapping[int, Offsets]

    @property
    def starts(self) -> dict[int, int]:
        """The first offset of each partition that Kafka has."""
        return {number: here.start for number, here in self.offsets.items()}

    @property
    def needs_landed_rows(self) -> bool:
        """Whether what has landed decides where the query starts: load jobs must have ended before."""
        wanted = {number: self.next_offsets.get(number, 0) for number in self.offsets}
        return not self.next_offsets or bool(expired(self.topic.name, self.topic.topic_id, wanted, self.starts))


def read_position(
    settings: Settings, kept: CheckpointTopic | None, checkpoint: Mapping[str, Mapping[int, int]]
) -> Position:
    """The topic and its offsets; `checkpoint` is the next offsets by topic, empty without one.

    `kept` is the checkpoint's topic, read before its offsets: a decision that moves the checkpoint away meanwhile must
    not leave offsets that seem to be of today's topic.

    Raises DecisionNeededError and KafkaAccessError.
    """
    topic = describe_topic(settings)
    facts = topic_facts(settings)
    check_policy(topic, facts.cleanup_policy if facts else "")
    kept = kept or topic_of_offsets(checkpoint, topic.name)
    check_topic(topic, kept)
    offsets = {number: here for (*_, number), here in kafka_offsets(settings, [topic.name]).items()}
    next_offsets = checkpoint.get(topic.name, {})
    _check_ends(topic, next_offsets, offsets)
    return Position(topic, kept, next_offsets, offsets)


def resume(settings: Settings, warehouse: Warehouse, position: Position) -> dict[int, int]:
    """The first offset of each partition. Raises DecisionNeededError, WarehouseError and OSError."""
    topic, has_checkpoint = position.topic, bool(position.next_offsets)
    if position.kept is None:  # a first start, a lost checkpoint, or one of a version that kept no ids
        name_older_rows(warehouse, topic.name, topic.topic_id)
    wanted = dict(position.next_offsets)
    if position.needs_landed_rows:
        first = position.kept.first_offsets if position.kept else {}
        wanted, gaps = wanted_and_expired(
            warehouse, topic.name, topic.topic_id, position.next_offsets, first, position.starts
        )
        _check_ends(topic, wanted, position.offsets)
        check_expired(gaps)
        if has_checkpoint:  # what expired has landed, and Spark would read it again
            moved = retire(settings.checkpoint, f"{datetime.now(UTC):expired-%Y%m%dT%H%M%SZ}")
            logger.warning("What the checkpoint wants next has landed and expired: it is now at %s", moved)
            has_checkpoint = False
    begin = {number: max(wanted.get(number, start), start) for number, start in position.starts.items()}
    if position.kept is None or not has_checkpoint:  # a damaged checkpoint was moved away with its file
        write_topic(settings.checkpoint, CheckpointTopic(topic.name, topic.topic_id, topic.cluster_id, begin))
    return begin


def _check_ends(topic: Topic, wanted: Mapping[int, int], offsets: Mapping[int, Offsets]) -> None:
    for number, offset in sorted(wanted.items()):
        if number in offsets and offset > offsets[number].end:
            raise DecisionNeededError(
                AlertKey.TOPIC_CHANGED,
                f"Partition {number} of topic {topic.name} ends at {offsets[number].end}, before what has landed: its "
                "log was emptied",
                _RECREATE,
            )


class TopicWatch:
    """Whether the topic is the one that was read so far: rows of another one must not land.

    Before each load job it asks Kafka for the topic's id, and before the first one for the records that landed last: a
    log that was emptied under the same id may be as long again. `last_batch_at` is when the last batch was committed.
    """

    def __init__(
        self, settings: Settings, warehouse: Warehouse, topic: Topic, last_batch_at: datetime, waiting: Waiting
    ) -> None:
        self._settings = settings
        self._warehouse = warehouse
        self._topic = topic
        self.topic_id = topic.topic_id
        self._last_batch_at = last_batch_at
        self._waiting = waiting
        self._is_compared = False
        self._admin: KafkaAdminClient | None = None
        self.found: DecisionNeededError | None = None  # Spark passes on only the text of what a batch raises

    def check(self) -> None:
        """Raise DecisionNeededError where the topic is another one; waits while Kafka or BigQuery does not respond."""
        if self._patiently(self._read_id, KAFKA_SILENT) not in (self._topic.topic_id, _DELETED):
            text = f"Topic {self._topic.name} was deleted and created again while the stream read it"
            self._refuse(text, f"`{ADOPT}`")
        if not self._is_compared and (numbers := self._patiently(self._replaced, _SILENT)):
            text = f"Partitions {numbers} of topic {self._topic.name} have other records at offsets that have landed"
            self._refuse(f"{text}: their log was emptied, or lost its end, and was filled again", _RECREATE)
        self._is_compared = True

    def _refuse(self, message: str, fix: str) -> None:
        self.found = DecisionNeededError(AlertKey.TOPIC_CHANGED, message, fix)
        raise self.found

    def _patiently(self, read: Callable[[], Result | None], reason: str) -> Result:
        with self._waiting.later(reason) as begin_wait:
            while (found := read()) is None:
                begin_wait()
                time.sleep(1)
        return found

    def _read_id(self) -> str | None:
        try:
            self._admin = self._admin or open_admin(self._settings)
            return id_of_topic(self._admin, self._topic.name)
        except UnknownTopicOrPartitionError:  # what was read before is the old topic's
            return _DELETED
        except (KafkaError, KafkaAccessError, OSError) as error:
            logger.warning("Cannot read the topic's id: %s", error)
            if self._admin is not None:
                self._admin.close()
            self._admin = None
            return None

    def _replaced(self) -> list[int] | None:
        topic = self._topic
        try:
            return replaced_partitions(self._warehouse, topic.name, topic.topic_id, self._last_batch_at)
        except (KafkaAccessError, WarehouseUnreachableError, WarehouseOverQuotaError) as error:
            logger.warning("Cannot compare the records that landed last: %s", error)
            return None
