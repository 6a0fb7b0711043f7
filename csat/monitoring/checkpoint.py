"""The offsets that the stream's checkpoint has committed, read without Spark.

Spark writes offsets/<batch> before a batch and commits/<batch> after it. A line of an offsets file is a version, then
the batch's settings, then one JSON object for each source: {"topic": {"partition": next offset}}.
"""

import json
from pathlib import Path
from typing import Any

from csat.contract.errors import CsatError
from csat.contract.google_errors import fix_of, text_of


class CheckpointError(CsatError):
    """The checkpoint exists but cannot be read; the message names the file."""


def committed_offsets(checkpoint: str, topic: str) -> dict[int, int]:
    """The next offset to read of each partition, from the last committed batch; empty before the first."""
    try:
        names = _names(f"{checkpoint}/commits")
        numbers = [int(name) for name in names if name.isdigit()]
        if not numbers:
            return {}
        text = _text(f"{checkpoint}/offsets/{max(numbers)}")
        offsets = json.loads(text.splitlines()[-1]).get(topic, {})
        return {int(partition): int(offset) for partition, offset in offsets.items()}
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
    import fsspec

    files, root = fsspec.core.url_to_fs(uri)
    files.invalidate_cache()
    return files, str(root)
