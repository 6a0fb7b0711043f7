"""Spark's checkpoint as a driver finds it: `metadata` has the query's id, offsets/<batch> and commits/<batch> its work.

A load job's id is made of the query's id. Without it, Spark would run the last batch again under another one: its rows
would land twice.
"""

import json
import logging
from typing import Any

from pyspark.sql import SparkSession

from csat.contract.settings import Settings
from csat.control.checkpoint_topic import retire

logger = logging.getLogger(__name__)


def committed_offsets(spark: SparkSession, settings: Settings) -> dict[str, dict[int, int]]:
    """The next offset to read of each topic's partitions, from the checkpoint's last committed batch; empty without."""
    files = _Files(spark, settings.checkpoint)
    numbers = files.numbers("commits")
    if not numbers:
        return {}
    topics = json.loads(files.text(f"offsets/{max(numbers)}").splitlines()[-1])
    return {topic: {int(number): int(at) for number, at in offsets.items()} for topic, offsets in topics.items()}


def set_damaged_aside(spark: SparkSession, settings: Settings, suffix: str) -> str:
    """Move a checkpoint away that Spark cannot continue or must not; returns why, empty where it is sound.

    The next query starts after the landed rows, as without a checkpoint. Raises OSError.
    """
    damage = _damage(_Files(spark, settings.checkpoint))
    if damage:
        moved = retire(settings.checkpoint, suffix)
        logger.warning(
            "The checkpoint is damaged (%s): it is now at %s, and this query starts after the landed rows",
            damage,
            moved,
        )
    return damage


def _damage(files: "_Files") -> str:
    started, committed = files.numbers("offsets"), files.numbers("commits")
    if not started and not committed:
        return ""
    if not files.size("metadata"):
        return "metadata is missing or empty"
    needed = [f"offsets/{number}" for number in sorted({max(each) for each in (started, committed) if each})]
    missing = [name for name in needed if not files.size(name)]
    return f"{missing[0]} is missing or empty" if missing else ""


class _Files:
    """The checkpoint's files, read as Spark reads them."""

    def __init__(self, spark: SparkSession, checkpoint: str) -> None:
        jvm: Any = spark._jvm
        self._io = jvm.org.apache.commons.io.IOUtils
        self._path = jvm.org.apache.hadoop.fs.Path
        self._root = self._path(checkpoint)
        self._files = self._root.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf())

    def numbers(self, folder: str) -> list[int]:
        """The numbers of the batches in this folder."""
        path = self._path(self._root, folder)
        if not self._files.exists(path):
            return []
        names = [status.getPath().getName() for status in self._files.listStatus(path)]
        return [int(name) for name in names if name.isdigit()]

    def size(self, name: str) -> int:
        """Bytes of the file; 0 where it is missing."""
        path = self._path(self._root, name)
        return int(self._files.getFileStatus(path).getLen()) if self._files.exists(path) else 0

    def text(self, name: str) -> str:
        """The file's text."""
        stream = self._files.open(self._path(self._root, name))
        try:
            return str(self._io.toString(stream, "UTF-8"))
        finally:
            stream.close()
