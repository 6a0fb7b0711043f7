"""The offsets that the stream's checkpoint has committed, read without Spark.

Spark writes sources/0/0 at the query's start, offsets/<batch> before a batch and commits/<batch> after it.
"""

from pathlib import Path
from typing import Any

from csat.contract.errors import CsatError
from csat.contract.google_errors import fix_of, text_of
from csat.control.checkpoint_topic import next_offsets, offsets_file
from csat.control.object_store import open_store


class CheckpointError(CsatError):
    """The checkpoint exists but cannot be read; the message names the file."""


def committed_offsets(checkpoint: str, topic: str) -> dict[int, int]:
    """The next offset to read of each partition of the topic; empty without a checkpoint. Raises CheckpointError."""
    return checkpoint_offsets(checkpoint).get(topic, {})


def checkpoint_offsets(checkpoint: str) -> dict[str, dict[int, int]]:
    """The next offset to read of each topic's partitions, from the last committed batch or the query's start.

    Empty without a checkpoint. Raises CheckpointError.
    """
    try:
        numbers = [int(name) for name in _names(f"{checkpoint}/commits") if name.isdigit()]
        folder, _, name = f"{checkpoint}/{offsets_file(numbers)}".rpartition("/")
        return next_offsets(_text(f"{folder}/{name}")) if numbers or name in _names(folder) else {}
    except Exception as error:  # each store raises its own types, and Spark's files may be anything
        fix = fix_of(error) or "check CSAT_CHECKPOINT_URI"
        raise CheckpointError(f"the checkpoint {checkpoint} cannot be read ({text_of(error)})", fix) from error


def _names(folder: str) -> list[str]:
    if "://" not in folder:
        path = Path(folder)
        return [file.name for file in path.iterdir()] if path.exists() else []
    files, root = _filesystem(folder)
    return [str(path).rpartition("/")[2] for path in files.ls(root, detail=False)] if files.exists(root) else []


def _text(path: str) -> str:
    if "://" not in path:
        return Path(path).read_text()
    files, root = _filesystem(path)
    return bytes(files.cat_file(root)).decode()


def _filesystem(uri: str) -> tuple[Any, str]:
    files, root = open_store(uri)
    files.invalidate_cache()
    return files, root
