"""The topic of a checkpoint, kept in a file beside Spark's: its offsets mean nothing in another topic.

The file also has the offsets where the query begins: until Spark has written its own, nobody else knows them.
"""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from csat.contract.errors import CsatError
from csat.control.object_store import open_store, read_object, unreachable, write_object

START_FILE = "sources/0/0"  # Spark writes it when a query begins
_FILE = "csat_topic.json"


@dataclass(frozen=True)
class CheckpointTopic:
    """Name and id of the topic, the id of its cluster, and the first offset of each partition that the query wants.

    `first_offsets` is empty in a file of an earlier release. It does not count when two are compared.
    """

    name: str
    topic_id: str
    cluster_id: str
    first_offsets: Mapping[int, int] = field(default_factory=dict, compare=False)


class CheckpointTopicError(CsatError):
    """The file with the checkpoint's topic is damaged; the message names it."""


def read_topic(checkpoint: str) -> CheckpointTopic | None:
    """The checkpoint's topic; None where it has none yet. Raises OSError and CheckpointTopicError."""
    path = f"{checkpoint}/{_FILE}"
    try:
        kept = json.loads(read_object(path) if "://" in path else Path(path).read_text())
        first = {int(number): int(offset) for number, offset in kept.pop("first_offsets", {}).items()}
        return CheckpointTopic(**kept, first_offsets=first)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, AttributeError) as error:  # a text that is not UTF-8, no JSON, or no topic
        fix = "start the stream: it moves a damaged checkpoint away and continues after the landed rows"
        raise CheckpointTopicError(f"{path} is damaged ({type(error).__name__})", fix) from error


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


def offsets_file(committed: Sequence[int]) -> str:
    """The file of a checkpoint that has its next offsets: of the last committed batch, or of the query's start."""
    return f"offsets/{max(committed)}" if committed else START_FILE


def next_offsets(text: str) -> dict[str, dict[int, int]]:
    """The next offset to read of each topic's partitions, from the text of that file.

    Its last line is one JSON object: {"topic": {"partition": offset}}. Raises ValueError, TypeError and AttributeError
    where it is not.
    """
    topics = json.loads((text.splitlines() or [""])[-1])
    return {topic: {int(number): int(at) for number, at in offsets.items()} for topic, offsets in topics.items()}


def topic_of_offsets(checkpoint: Mapping[str, Mapping[int, int]], topic: str) -> CheckpointTopic | None:
    """The other topic of a checkpoint that kept no id; None where its offsets are of `topic`, or there are none."""
    if not checkpoint or topic in checkpoint:
        return None
    return CheckpointTopic(next(iter(checkpoint)), "unknown", "unknown")


def retire(checkpoint: str, suffix: str) -> str:
    """Move the checkpoint away, so that the next query starts after the landed rows; returns where it is now.

    Does nothing where there is none. Raises OSError.
    """
    if "://" not in checkpoint:
        target = _unused(f"{checkpoint}.{suffix}", lambda name: Path(name).exists())
        if Path(checkpoint).exists():
            Path(checkpoint).rename(target)
        return target
    try:
        files, source = open_store(checkpoint)
        files.invalidate_cache()
        moved = _unused(f"{source}.{suffix}", files.exists)
        if files.exists(source):
            files.mv(source, moved, recursive=True)
    except Exception as error:  # each store raises its own types
        raise unreachable(checkpoint, error) from error
    return checkpoint + moved.removeprefix(source)


def _unused(name: str, exists: Callable[[str], bool]) -> str:
    """The name, or the name with the first number that nothing has."""
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(each for each in names if not exists(each))
