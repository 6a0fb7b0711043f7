"""Patches that make the emulator do what BigQuery does; csat.local.emulator.patches says what each is for."""

import contextvars
from collections.abc import Callable
from typing import Any

import sqlglot
from local_bigquery.engine import database
from local_bigquery.errors import BigQueryError
from local_bigquery.sql.dialect import BigQueryDialect
from local_bigquery.sql.rules import information_schema
from sqlglot import exp

_DESTINATION = """,
    struct_pack(
        project_id := resource ->> '$.configuration.load.destinationTable.projectId',
        dataset_id := resource ->> '$.configuration.load.destinationTable.datasetId',
        table_id := resource ->> '$.configuration.load.destinationTable.tableId'
    ) AS destination_table
FROM"""
_in_merge = contextvars.ContextVar("in_merge", default=False)


def name_table(execute: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Report the table that a CREATE TABLE AS SELECT creates as the job's destination."""
    statistics, children, destination = execute(*args, **options)
    if destination is None and statistics.statementType == "CREATE_TABLE_AS_SELECT":
        destination = statistics.ddlTargetTable
    return statistics, children, destination


def show_destinations(_: Any) -> None:
    """Add the column destination_table to INFORMATION_SCHEMA.JOBS, for load jobs."""
    information_schema.JOBS = information_schema.JOBS.replace("\nFROM", _DESTINATION, 1)


def results_without_rows(results: Callable[..., Any], job: Any, *args: Any, **options: Any) -> Any:
    """Return no rows for a CREATE TABLE AS SELECT, although its job names a table."""
    statistics = job.statistics.query
    if statistics is not None and statistics.statementType == "CREATE_TABLE_AS_SELECT":
        configuration = job.configuration
        job = job.replace(configuration=configuration.replace(query=configuration.query.without("destinationTable")))
    return results(job, *args, **options)


def assign(assign_one: Callable[..., Any], interpreter: Any, statement: Any) -> Any:
    """Assign the variables of SET (a, b) = (SELECT AS STRUCT …) one by one."""
    found = _struct_assignment(statement)
    if found is None:
        return assign_one(interpreter, statement)
    target, select = found
    names = target.expressions if isinstance(target, exp.Tuple) else [target.this]
    for name, expression in zip(names, select.expressions, strict=True):
        one = select.copy()
        one.set("kind", None)
        one.set("expressions", [expression.copy()])
        interpreter.assign(interpreter.variable(name.name), exp.Subquery(this=one))
    return None


def _struct_assignment(statement: Any) -> tuple[Any, Any] | None:
    tree = sqlglot.parse_one(statement.text, dialect=BigQueryDialect)
    if len(tree.expressions) != 1 or not isinstance(tree.expressions[0].this, exp.EQ):
        return None
    target, value = tree.expressions[0].this.this, tree.expressions[0].this.expression
    select = value.unnest() if isinstance(value, exp.Subquery | exp.Paren) else None
    is_struct = isinstance(select, exp.Select) and select.args.get("kind") == "STRUCT"
    return (target, select) if is_struct and isinstance(target, exp.Paren | exp.Tuple) else None


def check_unless_merging(check: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Require a partition filter in WHERE, except in a MERGE."""
    try:
        return check(*args, **options)
    except BigQueryError as error:
        if not (_in_merge.get() and "can be used for partition elimination" in error.message):
            raise
        return None


def merge_marked(run: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Remember that a MERGE runs."""
    token = _in_merge.set(True)
    try:
        return run(*args, **options)
    finally:
        _in_merge.reset(token)


def insert_in_turn(insert_all: Callable[..., Any], project_id: str, dataset_id: str, table_id: str, *args: Any) -> Any:
    """Let a streaming insert wait for the statements that write the same table."""
    with database.writing(project_id, dataset_id, table_id):
        return insert_all(project_id, dataset_id, table_id, *args)
