"""Patches that leave memory to the rest of the stack; csat.local.emulator.patches says what each is for."""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import duckdb
from local_bigquery.catalog import tables
from local_bigquery.engine import database
from local_bigquery.errors import BigQueryError
from local_bigquery.settings import settings

logger = logging.getLogger(__name__)

RESULT_SECONDS = 600
_SWEEP_SECONDS = 30
# DuckDB's own limit is four fifths of the machine, or of the container where that has one
_SHARE_OF_MEMORY = 0.25
_UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_OLD_RESULTS_SQL = """
SELECT jobs.project_id, jobs.job_id
FROM duckdb_tables() AS results
JOIN emulator.jobs ON results.table_name = jobs.project_id || ':' || jobs.job_id
WHERE results.database_name = 'emulator' AND results.schema_name = '_results'
    AND jobs.state = 'DONE' AND jobs.creation_time < ?
"""


def limit(connection: duckdb.DuckDBPyConnection) -> None:
    """Let DuckDB use a quarter of the memory; what a query needs beyond that, it writes to disk."""
    number, unit = str(connection.sql("SELECT current_setting('memory_limit')").fetchall()[0][0]).split()
    share = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * _SHARE_OF_MEMORY
    connection.execute(f"SET memory_limit = '{int(min(float(number) * _UNITS[unit], share))}B'")
    connection.execute("SET temp_directory = ?", [str(settings.data_dir / "spilled")])


def delete_if_there(delete: Callable[..., Any], project_id: str, dataset_id: str, table_id: str) -> Any:
    """Delete a table; a job is deleted with its result, which may be gone already."""
    if dataset_id == tables.RESULTS and not tables.exists(project_id, dataset_id, table_id):
        return None
    return delete(project_id, dataset_id, table_id)


def forget_old_results(_: duckdb.DuckDBPyConnection) -> None:
    """Drop the results of queries RESULT_SECONDS after their start, in the background: their clients have read them."""
    threading.Thread(target=_sweep_forever, daemon=True).start()


def _sweep_forever() -> None:
    while True:
        time.sleep(_SWEEP_SECONDS)
        oldest = int((time.time() - RESULT_SECONDS) * 1000)
        try:
            for project_id, job_id in database.fetch(_OLD_RESULTS_SQL, [oldest]):
                tables.delete(project_id, tables.RESULTS, job_id)
        except (duckdb.Error, BigQueryError) as error:  # not there yet, or deleted by its job meanwhile
            logger.info("Old results wait for the next sweep: %s", error)
