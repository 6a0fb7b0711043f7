"""Spark's checkpoint as a driver finds it: `metadata` has the query's id, offsets/<batch> and commits/<batch> its work.

A load job's id is made of the query's id. Without it, Spark would run the last batch again under another one: its rows
would land twice.
"""

import json
import logging
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from csat.contract.settings import Settings
from csat.control.checkpoint_topic import (
    START_FILE,
    CheckpointTopic,
    CheckpointTopicError,
    next_offsets,
    offsets_file,
    read_topic,
    retire,
)

logger = logging.getLogger(__name__)

_VERSION = re.compile(r"v\d+")


def committed_offsets(spark: SparkSession, settings: Settings) -> dict[str, dict[int, int]]:
    """The next offset to read of each topic's partitions, from the last committed batch or the query's start.

    Empty without a checkpoint.
    """
    files = _Files(spark, settings.checkpoint)
    numbers = files.numbers("commits")
    name = offsets_file(numbers)
    return next_offsets(files.text(name)) if numbers or files.size(name) else {}


def last_batch_at(spark: SparkSession, settings: Settings) -> datetime:
    """When Spark planned the last committed batch; 1970 without one."""
    files = _Files(spark, settings.checkpoint)
    numbers = files.numbers("commits")
    metadata = _read_log(files.text(offsets_file(numbers)))[0] if numbers else {}
    return datetime.fromtimestamp(metadata.get("batchTimestampMs", 0) / 1000, UTC)


def sound_topic(spark: SparkSession, settings: Settings, suffix: str) -> CheckpointTopic | None:
    """The checkpoint's topic, read before its offsets; None where it has none. Moves a damaged checkpoint away.

    Spark cannot continue such a checkpoint, or must not. The next query starts after the landed rows, as without one.
    Raises OSError.
    """
    damage, topic = "", None
    try:
        topic = read_topic(settings.checkpoint)
    except CheckpointTopicError as error:
        damage = error.message
    damage = damage or _damage(_Files(spark, settings.checkpoint))
    if damage:
        moved = retire(settings.checkpoint, suffix)
        logger.warning("The checkpoint is damaged (%s): it is now at %s", damage, moved)
    return topic


def _damage(files: "_Files") -> str:
    """What is wrong with the files that a query reads when it starts; empty where nothing is."""
    started, committed = files.numbers("offsets"), files.numbers("commits")
    needed: dict[str, Callable[[str], object]] = {}
    if started or committed or files.exists("metadata"):
        needed["metadata"] = _read_metadata
    if files.exists(START_FILE):
        needed[START_FILE] = _read_offsets
    batches = {*_last_two(started), *committed[-1:]}
    needed |= {f"offsets/{number}": _read_offsets for number in batches}
    needed |= {f"commits/{number}": _read_log for number in committed[-1:]}
    return next((f"{name} is {state}" for name, read in needed.items() if (state := _state(files, name, read))), "")


def _last_two(started: list[int]) -> list[int]:
    """Spark reads the last batch and the one before it, which must be there."""
    return [number for number in range(started[-1] - 1, started[-1] + 1) if number >= 0] if started else []


def _state(files: "_Files", name: str, read: Callable[[str], object]) -> str:
    """What is wrong with the file; empty where it can be read."""
    if not files.size(name):
        return "missing or empty"
    try:
        read(files.text(name))
    except (ValueError, TypeError, AttributeError, LookupError):
        return "damaged"
    except Py4JJavaError as error:
        if "ChecksumException" not in str(error.java_exception.toString()):
            raise
        return "damaged"
    return ""


def _read_metadata(text: str) -> str:
    return str(uuid.UUID(json.loads(text)["id"]))


def _read_log(text: str) -> list[dict[str, Any]]:
    """The JSON objects of a file, one a line after that with the version."""
    version, *lines = text.lstrip("\0").splitlines()  # a zero byte begins the offsets of the query's start
    if not _VERSION.fullmatch(version) or not lines:
        raise ValueError("no version, or nothing after it")
    return [dict(json.loads(line)) for line in lines]


def _read_offsets(text: str) -> dict[str, dict[int, int]]:
    _read_log(text)
    return next_offsets(text)


class _Files:
    """The checkpoint's files, read as Spark reads them."""

    def __init__(self, spark: SparkSession, checkpoint: str) -> None:
        jvm: Any = spark._jvm
        self._io = jvm.org.apache.commons.io.IOUtils
        self._path = jvm.org.apache.hadoop.fs.Path
        self._root = self._path(checkpoint)
        self._files = self._root.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf())

    def numbers(self, folder: str) -> list[int]:
        """The numbers of the batches in this folder, in order."""
        path = self._path(self._root, folder)
        if not self._files.exists(path):
            return []
        names = [status.getPath().getName() for status in self._files.listStatus(path)]
        return sorted(int(name) for name in names if name.isdigit())

    def exists(self, name: str) -> bool:
        """Whether the file exists."""
        return bool(self._files.exists(self._path(self._root, name)))

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
