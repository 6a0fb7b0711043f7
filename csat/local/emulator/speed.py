"""Patches that save the emulator work; csat.local.emulator.patches says what each is for.

A build of the marts sends 200 statements, 80 of them the same each time, and a view of the dashboard the same few. Half
of what the emulator's Python did was to parse them and find their types, of which one thread at a time does anything.
With the results of 1,300 queries in the catalogue, `select 1` took 0.15 s.

DuckLake keeps the least and the greatest value of each piece of a file and skips the pieces that cannot match a filter:
hence rows are stored in the order of the partitions, and partitions are replaced by a filter.
"""

import functools
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
from local_bigquery.engine import database
from local_bigquery.jobs.merge import SOURCE
from local_bigquery.models import JobStatistics2
from local_bigquery.sql.translate import translate
from sqlglot import exp

_MOST_KEPT = 300
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


def split_sorted(split: Callable[..., Any], tree: Any) -> Any:
    """Write the rows of CREATE TABLE … PARTITION BY … AS SELECT in the order of the partitions."""
    parts: list[Any] = split(tree)
    partition: Any = tree.find(exp.PartitionedByProperty) if isinstance(tree, exp.Create) else None
    for part in parts if partition else []:
        if isinstance(part.expression, exp.Query):
            by = exp.column(partition.name) if isinstance(partition.this, exp.Identifier) else partition.this.copy()
            rows = exp.select("*").from_(exp.Subquery(this=part.expression.unnest(), alias="__rows"))
            part.set("expression", rows.order_by(exp.Ordered(this=by)))
    return parts


def merge_by_filter(run_any: Callable[..., Any], cur: Any, tree: Any, context: Any) -> Any:
    """Run dbt's MERGE … ON FALSE, which replaces partitions, as a deletion by its condition and an insert."""
    clauses = tree.args["whens"].expressions
    if not _is_overwrite(tree, clauses):
        return run_any(cur, tree, context)
    counts = {"updatedRowCount": "0"}
    with _transaction(cur):
        for name, statement in _overwrite_statements(tree, clauses).items():
            (count,) = cur.execute(*translate(statement, context)).fetchone()
            counts |= {name: str(count)} if name else {}
    cur.execute(f"DROP TABLE temp.{SOURCE}")
    return JobStatistics2(numDmlAffectedRows=str(sum(map(int, counts.values()))), dmlStats=counts)


def _overwrite_statements(tree: Any, clauses: Any) -> dict[str, Any]:
    """The statements by the name of their row count; the source is first, as in a MERGE: it may read the target."""
    condition, insert = clauses[0].args["condition"], clauses[1].args["then"]
    target = tree.this.copy()
    target.set("alias", None)
    source = exp.select("*").from_(tree.args["using"].copy()).ctas(SOURCE)
    source.set("replace", True)
    source.set("properties", exp.Properties(expressions=[exp.TemporaryProperty()]))
    rows = exp.select(*insert.expression.expressions).from_(SOURCE)
    return {
        "": source,
        "deletedRowCount": exp.delete(tree.this.copy()).where(condition.copy()),
        "insertedRowCount": exp.insert(rows, target, columns=[column.this for column in insert.this.expressions]),
    }


def _is_overwrite(tree: Any, clauses: Any) -> bool:
    """Whether the MERGE deletes rows of the target by a condition on them and inserts every row of the source."""
    if not isinstance(tree.args["on"], exp.Boolean) or tree.args["on"].this or len(clauses) != 2:
        return False
    delete, insert = clauses
    return (
        bool(delete.args.get("source"))
        and isinstance(delete.args["then"], exp.Var)
        and delete.args["then"].name.upper() == "DELETE"
        and delete.args.get("condition") is not None
        and isinstance(insert.args["then"], exp.Insert)
        and isinstance(insert.args["then"].this, exp.Tuple)
        and insert.args.get("condition") is None
    )


@contextmanager
def _transaction(cur: Any) -> Iterator[None]:
    """All or nothing, also where no script has begun a transaction."""
    try:
        cur.execute("BEGIN")
    except duckdb.TransactionException:
        yield  # the script's own
        return
    try:
        yield
    except Exception:
        cur.execute("ROLLBACK")
        raise
    cur.execute("COMMIT")


class _Cursor:
    """A cursor with a `sql` of its own; everything else is that of the wrapped cursor."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


class _Describer(_Cursor):
    """A cursor that describes a statement with parameters where DuckDB's own would run it."""

    def sql(self, query: str, params: Any = None) -> duckdb.DuckDBPyRelation:
        """A relation with the query's columns; its rows too where there are no parameters."""
        if not params:
            return self._cursor.sql(query)
        columns = self._cursor.execute(f"DESCRIBE {query}", params).fetchall()
        nothing = ", ".join(f"CAST(NULL AS {kind}) AS {database.quote(name)}" for name, kind, *_ in columns)
        return self._cursor.sql(f"SELECT {nothing}")


class _NewCursor(_Cursor):
    """A cursor without temporary tables: it knows that without listing the tables of all projects."""

    def sql(self, query: str, *args: Any, **options: Any) -> duckdb.DuckDBPyRelation:
        """A relation with the rows of the query."""
        if query == _TEMPORARY_SQL:
            query = "SELECT '' AS table_name WHERE false"
        return self._cursor.sql(query, *args, **options)


def write_once(write: Callable[..., Any], cur: Any, *args: Any, isolated: bool = False, **options: Any) -> Any:
    """Keep the rows of a query; its columns are found without running it."""
    # An isolated one reads the rows from the relation
    return write(cur if isolated else _Describer(cur), *args, isolated=isolated, **options)


def execute_apart(execute: Callable[..., Any], cur: Any, *args: Any, session: Any = None, **options: Any) -> Any:
    """Run a statement outside of a session, whose cursor is its own, on a cursor that has no temporary tables yet."""
    return execute(cur if session else _NewCursor(cur), *args, session=session, **options)


def objects_by_name(
    list_objects: Callable[..., Any], project_id: str, dataset_id: str, table_id: str | None = None
) -> Any:
    """Find one table in the catalogue of its project."""
    if table_id is None:
        return list_objects(project_id, dataset_id)
    try:
        if project_id == "emulator":
            name = database.quote(project_id, dataset_id, table_id)
            return [(table_id, "TABLE", database.fetch(f"SELECT count(*) FROM {name}")[0][0])]
        return database.fetch(_ONE_OBJECT_SQL.format(lake=_lake(project_id)), [dataset_id, table_id])
    except duckdb.CatalogException:
        return []


def fetch_by_name(fetch: Callable[..., Any], sql: str, params: list[Any] | None = None) -> Any:
    """Find the columns of one table in the catalogue of its project."""
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


def _lake(project_id: str) -> str:
    return _LAKE.format(project=project_id.replace('"', '""'))


def skip_pandas(_: duckdb.DuckDBPyConnection) -> None:
    """Let an import of pandas, which is not installed, fail at once."""
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]  # as the import system documents it


def parse_once(parse: Callable[..., Any], sql: str) -> list[Any]:
    """Parse a text once. The rules of the translation change what they are given: each gets a copy."""
    return [tree.copy() for tree in _parsed(parse, sql)]


@functools.lru_cache(_MOST_KEPT)
def _parsed(parse: Callable[..., list[Any]], sql: str) -> list[Any]:
    return parse(sql)


@dataclass(frozen=True)
class _Untyped:
    """A statement before its types are known; it equals another where their types are the same."""

    content: tuple[int, str, bool]
    tree: Any = field(compare=False)
    schema: dict[str, Any] = field(compare=False)


def type_once(find_types: Callable[..., Any], tree: Any, schema: dict[str, Any], positional: bool) -> Any:
    """Find the types of a statement once for the columns that its tables have; nothing but the types is read."""
    return _typed(find_types, _Untyped((hash(tree), json.dumps(schema), positional), tree, schema))


@functools.lru_cache(_MOST_KEPT)
def _typed(find_types: Callable[..., Any], statement: _Untyped) -> Any:
    _, _, is_positional = statement.content
    return find_types(statement.tree, statement.schema, is_positional)
