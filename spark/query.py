"""The running query as the heartbeat writer sees it."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession
from pyspark.sql.streaming import StreamingQuery

from csat.contract.polling import poll
from csat.contract.settings import Settings
from spark.heartbeat import Reading
from spark.sink import LandingSink
from spark.source import backlog, end_offsets
from spark.waiting import KAFKA_SILENT

logger = logging.getLogger(__name__)

MAX_BATCH_END_SECONDS = 60
_POLL_SECONDS = 0.1


class ActiveQuery:
    """A started query with its session and sink; `read_offsets` are the next ones to read of each partition."""

    def __init__(
        self,
        spark: SparkSession,
        query: StreamingQuery,
        sink: LandingSink,
        settings: Settings,
        read_offsets: Mapping[int, int],
    ) -> None:
        self._spark = spark
        self._query = query
        self._sink = sink
        self._settings = settings
        self._read_offsets = dict(read_offsets)
        self._ends: dict[int, int] = {}
        self._kafka_silent_since: datetime | None = None

    def wait(self, seconds: float) -> bool:
        """Wait up to this long; whether the query ended. Raises its error."""
        return bool(self._query.awaitTermination(seconds))  # type: ignore[arg-type]  # fractions are taken

    def read(self) -> Reading:
        """The query's current status; requests the end offsets from Kafka."""
        last = self._query.lastProgress
        progress: dict[str, Any] | None = json.loads(last.json) if last else None
        if progress is not None:
            offsets = progress["sources"][0].get("endOffset") or {}
            topic = (json.loads(offsets) if isinstance(offsets, str) else offsets).get(self._settings.kafka_topic, {})
            self._read_offsets |= {int(number): int(offset) for number, offset in topic.items()}
        error = ""
        try:
            self._ends = end_offsets(self._spark, self._settings)
            self._kafka_silent_since = None
        except Py4JError:
            error = f"Kafka does not respond at {self._settings.bootstrap_servers}"
            self._kafka_silent_since = self._kafka_silent_since or datetime.now(UTC)
        used, share = _memory(self._spark)
        return Reading(
            progress=progress,
            backlog=backlog(self._ends, self._read_offsets),
            rows_committed=self._sink.rows_committed,
            memory_share=share,
            memory_bytes=used,
            error=error,
            held_until=self._sink.budget.held_until,
            waiting=self._waiting(),
        )

    def _waiting(self) -> tuple[str, datetime] | None:
        """What the batch waits for, or the next one, and since when."""
        batch = self._sink.waiting.current
        return batch or ((KAFKA_SILENT, self._kafka_silent_since) if self._kafka_silent_since else None)

    def stop(self) -> None:
        """Finish the current batch within a minute, then stop. Stopping sooner would lose time, not rows."""
        self._sink.budget.end_hold()
        poll(
            lambda: not (self._query.isActive and self._query.status["isTriggerActive"]),
            MAX_BATCH_END_SECONDS,
            _POLL_SECONDS,
        )
        self._query.stop()


def _memory(spark: SparkSession) -> tuple[int, float]:
    """Bytes used of the heap's old generation, and the share of its limit that survived its last garbage collection.

    The bytes are those that survived; before the first collection, which may be hours away, all that is in use.
    """
    jvm: Any = spark._jvm
    for pool in jvm.java.lang.management.ManagementFactory.getMemoryPoolMXBeans():
        after = pool.getCollectionUsage()
        if after is not None and ("Old Gen" in pool.getName() or "Tenured" in pool.getName()):
            survived = int(after.getUsed())
            return survived or int(pool.getUsage().getUsed()), survived / max(int(after.getMax()), 1)
    return 0, 0.0
