"""The topic of a checkpoint, kept in a file beside Spark's: its offsets mean nothing in another topic."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from csat.control.object_store import read_object, unreachable, write_object

_FILE = "csat_topic.json"


@dataclass(frozen=True)
class CheckpointTopic:
    """Name and id of the topic, and the id of its cluster."""

    name: str
    topic_id: str
    cluster_id: str


def read_topic(checkpoint: str) -> CheckpointTopic | None:
    """The checkpoint's topic; None where it has none yet. Raises OSError and ValueError."""
    path = f"{checkpoint}/{_FILE}"
    try:
        text = read_object(path) if "://" in path else Path(path).read_text()
    except FileNotFoundError:
        return None
    return CheckpointTopic(**json.loads(text))


def write_topic(checkpoint: str, topic: CheckpointTopic) -> None:
    """Keep the topic beside the checkpoint. Raises OSError."""
    path, text = f"{checkpoint}/{_FILE}", json.dumps(asdict(topic))
    if "://" in path:
        write_object(path, text)
        return
    Path(checkpoint).mkdir(parents=True, exist_ok=True)
    draft = Path(f"{path}.draft")
    draft.write_text(text)
    draft.replace(path)


def retire(checkpoint: str, suffix: str) -> str:
    """Move the checkpoint away, so that the next query starts after the landed rows; returns where it is now.

    Does nothing where there is none. Raises OSError.
    """
    target = f"{checkpoint}.{suffix}"
    if "://" not in checkpoint:
        if Path(checkpoint).exists():
            Path(checkpoint).rename(target)
        return target
    import fsspec

    try:
        files, source = fsspec.core.url_to_fs(checkpoint)
        files.invalidate_cache()
        if files.exists(source):
            files.mv(source, f"{source}.{suffix}", recursive=True)
    except Exception as error:  # each store raises its own types
        raise unreachable(checkpoint, error) from error
    return target
