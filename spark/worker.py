"""What Spark's Python workers run. The driver imports it too, so what only a worker needs is imported lazily."""

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

    from spark.message import TimeLimits


class _NoPandas:
    """A module finder that reports pandas as missing."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("the stream's workers do not use pandas", name=name)


def write_files(
    batches: "Iterable[pa.RecordBatch]",
    folder: str,
    batch_id: str,
    topic_id: str,
    ingested_at: "datetime",
    limits: "TimeLimits",
) -> "Iterator[pa.RecordBatch]":
    """`spark.parquet_files.write` for batches of `MESSAGE_COLUMNS`. For mapInArrow."""
    # pyarrow imports pandas at its first scalar, only for a type check: that costs a second of each worker's start
    if _NoPandas not in sys.meta_path:
        sys.meta_path.insert(0, _NoPandas)
    from spark.parquet_files import write

    return write(batches, folder, batch_id, topic_id, ingested_at, limits)
