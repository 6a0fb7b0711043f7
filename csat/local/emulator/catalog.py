"""The catalogue of local-bigquery 0.3.2, looked up by name: it lists every table there is to find one, several times a
statement, and keeps a table for the result of every query that ever ran.

With the results of 1,300 queries, `select 1` took 0.15 s; a build of the marts sends 200 statements. Used by
csat.local.emulator.serve, in the emulator's own environment.
"""

import functools
import logging
import sys
import threading
import time
from typing import Any

import duckdb

logger = logging.getLogger(__name__)

RESULT_SECONDS = 600
_SWEEP_SECONDS = 30
# A DuckLake's own catalogue is a database beside it, of which duckdb_tables() and duckdb_columns() are views.
_LAKE = '"__ducklake_metadata_{project}"'
_ONE_OBJECT_SQL = """
SELECT table_name, 'TABLE', coalesce(record_count, 0)
FROM {lake}.ducklake_table AS found
JOIN {lake}.ducklake_schema AS schemas USING (schema_id)
LEFT JOIN {lake}.ducklake_table_stats USING (table_id)
WHERE schema_name = $1 AND table_name = $2 AND found.end_snapshot IS NULL AND schemas.end_snapshot IS NULL
UNION ALL
SELECT view_name, 'VIEW', 0
FROM {lake}.ducklake_view AS found
JOIN {lake}.ducklake_schema AS schemas USING (schema_id)
WHERE schema_name = $1 AND view_name = $2 AND found.end_snapshot IS NULL AND schemas.end_snapshot IS NULL
"""
_COLUMNS_SQL = """
SELECT column_name
FROM {lake}.ducklake_column AS found
JOIN {lake}.ducklake_table AS tables USING (table_id)
JOIN {lake}.ducklake_schema AS schemas USING (schema_id)
WHERE schema_name = $1 AND table_name = $2 AND found.parent_column IS NULL AND {condition}
    AND found.end_snapshot IS NULL AND tables.end_snapshot IS NULL AND schemas.end_snapshot IS NULL
"""
_COLUMNS_BY_LISTING = "FROM duckdb_columns() WHERE database_name = ?"
_TEMPORARY_SQL = "SELECT table_name FROM duckdb_tables() WHERE temporary"
_OLD_RESULTS_SQL = """
SELECT jobs.project_id, jobs.job_id
FROM duckdb_tables() AS results
JOIN emulator.jobs ON results.table_name = jobs.project_id || ':' || jobs.job_id
WHERE results.database_name = 'emulator' AND results.schema_name = '_results'
    AND jobs.state = 'DONE' AND jobs.creation_time < ?
"""


def find_tables_by_name() -> None:
    """Look one table up in the catalogue of its project, instead of listing the tables of all."""
    from local_bigquery.engine import database

    fetch, list_objects = database.fetch, database.objects

    def objects(project_id: str, dataset_id: str, table_id: str | None = None) -> Any:
        if table_id is None:
            return list_objects(project_id, dataset_id)
        try:
            if project_id == "emulator":
                name = database.quote(project_id, dataset_id, table_id)
                return [(table_id, "TABLE", fetch(f"SELECT count(*) FROM {name}")[0][0])]
            return fetch(_ONE_OBJECT_SQL.format(lake=_lake(project_id)), [dataset_id, table_id])
        except duckdb.CatalogException:
            return []

    def fetch_by_name(sql: str, params: list[Any] | None = None) -> Any:
        if _COLUMNS_BY_LISTING not in sql or not params:
            return fetch(sql, params)
        project_id, dataset_id, table_id, *column = params
        if project_id == "emulator":
            return []  # a result has neither required nor hidden columns
        condition = "column_name = $3" if column else "NOT found.nulls_allowed"
        try:
            statement = _COLUMNS_SQL.format(lake=_lake(project_id), condition=condition)
            return fetch(statement, [dataset_id, table_id, *column])
        except duckdb.CatalogException:
            return []

    database.objects, database.fetch = objects, fetch_by_name


class CursorInFront:
    """A cursor that does something of its own; the rest is what the one behind it does."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


class _NewCursor(CursorInFront):
    """A cursor without temporary tables: it knows that without listing the tables of all projects."""

    def sql(self, query: str, *args: Any, **options: Any) -> duckdb.DuckDBPyRelation:
        """A relation with the rows of the query."""
        if query == _TEMPORARY_SQL:
            query = "SELECT '' AS table_name WHERE false"
        return self._cursor.sql(query, *args, **options)


def find_temporary_tables_in_sessions_only() -> None:
    """A statement outside of a session has a cursor of its own."""
    from local_bigquery.jobs import query

    execute = query.execute

    @functools.wraps(execute)
    def execute_apart(cur: Any, *args: Any, session: Any = None, **options: Any) -> Any:
        return execute(cur if session else _NewCursor(cur), *args, session=session, **options)

    query.execute = execute_apart


def _lake(project_id: str) -> str:
    return _LAKE.format(project=project_id.replace('"', '""'))


def skip_the_pandas_import() -> None:
    """It is not there, and for each parameter of a statement, the catalogue's too, DuckDB looks again."""
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]  # as the import system documents it


def forget_old_results() -> None:
    """Drop the results of queries that ended long ago; what a program wants of a result, it has read by then."""
    from local_bigquery.catalog import tables

    delete = tables.delete

    def delete_if_there(project_id: str, dataset_id: str, table_id: str) -> Any:
        # A job is deleted with its result, which may be gone already.
        if dataset_id == tables.RESULTS and not tables.exists(project_id, dataset_id, table_id):
            return None
        return delete(project_id, dataset_id, table_id)

    tables.delete = delete_if_there
    threading.Thread(target=_sweep_for_ever, daemon=True).start()


def _sweep_for_ever() -> None:
    from local_bigquery.catalog import tables
    from local_bigquery.engine import database
    from local_bigquery.errors import BigQueryError

    while True:
        time.sleep(_SWEEP_SECONDS)
        oldest = int((time.time() - RESULT_SECONDS) * 1000)
        try:
            for project_id, job_id in database.fetch(_OLD_RESULTS_SQL, [oldest]):
                tables.delete(project_id, tables.RESULTS, job_id)
        except (duckdb.Error, BigQueryError) as error:  # not there yet, or deleted by its job meanwhile
            logger.info("Old results wait for the next sweep: %s", error)
