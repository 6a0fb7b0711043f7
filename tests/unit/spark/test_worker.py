"""What a Spark worker imports and what it does not."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from pyarrow import parquet

from csat.contract.settings import ROOT

WRITE_ONE_FILE = """
import sys
from datetime import UTC, datetime, timedelta
import pyarrow as pa
from spark.message import TimeLimits
from spark.worker import write_files

columns = {"value": pa.binary(), "topic": pa.string(), "partition": pa.int32(), "offset": pa.int64()}
columns |= {"timestamp": pa.timestamp("us", "UTC")}
rows = pa.RecordBatch.from_arrays([pa.nulls(40, kind) for kind in columns.values()], names=list(columns))
assert "pandas" not in sys.modules
batch = ("query-7", "topic-id", datetime(2026, 11, 20, 12, tzinfo=UTC), TimeLimits(timedelta(0), timedelta(1)))
[written] = write_files([rows], sys.argv[1], *batch)
assert "pandas" not in sys.modules
print(written.to_pylist()[0]["name"])
"""


def test_worker_writes_its_file_without_pandas(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WRITE_ONE_FILE, tmp_path.as_uri()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    written = parquet.read_table(tmp_path / done.stdout.strip())
    assert written["ingested_at"].to_pylist() == [datetime(2026, 11, 20, 12, tzinfo=UTC)] * 40
