"""Starts local-bigquery 0.3.2 with the fixes that dbt, the Storage API and a closed network need.

Runs in the emulator's own environment: `python -m csat.local.emulator.serve --token-file … --port 9050 …`. Each fix
patches one function of the package.
"""

import argparse
import contextvars
import functools
import os
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import grpc

from csat.local.emulator.access import HOSTS, Access, let_in_by_token, token_of
from csat.local.emulator.catalog import (
    CursorInFront,
    find_tables_by_name,
    find_temporary_tables_in_sessions_only,
    forget_old_results,
    skip_the_pandas_import,
)
from csat.local.emulator.files import keep_to_own_files
from csat.local.emulator.keys import PATH, offer_key
from csat.local.emulator.partitions import replace_partitions_by_their_filter, store_rows_of_a_partition_together
from csat.local.emulator.translation import keep_parsed_statements, keep_types

EXTENSIONS = ("icu", "ducklake", "spatial")
# BigQuery takes AppendRows requests of 10 MB and more; grpc's own limit is 4 MB.
MAX_MESSAGE_BYTES = 20 * 1024 * 1024
# DuckDB's own limit is four fifths of the machine, or of the container where that has one
_SHARE_OF_MEMORY = 0.25
_UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def install_extensions() -> None:
    """Put DuckDB's extensions, which come as packages, where DuckDB looks for them before it downloads."""
    version = "v" + duckdb.__version__
    platform = duckdb.sql("PRAGMA platform").fetchone()[0]  # type: ignore[index]  # always one row
    folder = Path.home() / ".duckdb" / "extensions" / version / platform
    folder.mkdir(parents=True, exist_ok=True)
    for name in EXTENSIONS:
        package = Path(str(import_module(f"duckdb_extension_{name}").__file__)).parent
        source = package / "extensions" / version / f"{name}.duckdb_extension"
        target = folder / source.name
        if not target.exists():
            draft = target.with_suffix(f".{os.getpid()}")
            shutil.copy(source, draft)
            draft.replace(target)


def name_the_table_of_create_as_select() -> None:
    """dbt reads job.destination after CREATE TABLE AS SELECT, which must still return no rows."""
    from local_bigquery.api import jobs as api
    from local_bigquery.jobs import query

    execute, results = query.execute, api.results

    @functools.wraps(execute)
    def execute_naming(*args: Any, **options: Any) -> Any:
        statistics, children, destination = execute(*args, **options)
        if destination is None and statistics.statementType == "CREATE_TABLE_AS_SELECT":
            destination = statistics.ddlTargetTable
        return statistics, children, destination

    @functools.wraps(results)
    def results_without_rows(job: Any, *args: Any, **options: Any) -> Any:
        statistics = job.statistics.query
        if statistics is not None and statistics.statementType == "CREATE_TABLE_AS_SELECT":
            configuration = job.configuration
            plain = configuration.replace(query=configuration.query.without("destinationTable"))
            job = job.replace(configuration=plain)
        return results(job, *args, **options)

    query.execute, api.results = execute_naming, results_without_rows


def assign_from_struct() -> None:
    """dbt's dynamic insert_overwrite says SET (a, b) = (SELECT AS STRUCT …)."""
    import sqlglot
    from local_bigquery.sql import script
    from local_bigquery.sql.dialect import BigQueryDialect
    from sqlglot import exp

    assign_one = script.Interpreter.set

    def struct_assignment(statement: Any) -> tuple[Any, Any] | None:
        tree = sqlglot.parse_one(statement.text, dialect=BigQueryDialect)
        if len(tree.expressions) != 1 or not isinstance(tree.expressions[0].this, exp.EQ):
            return None
        target, value = tree.expressions[0].this.this, tree.expressions[0].this.expression
        select = value.unnest() if isinstance(value, exp.Subquery | exp.Paren) else None
        is_struct = isinstance(select, exp.Select) and select.args.get("kind") == "STRUCT"
        return (target, select) if is_struct and isinstance(target, exp.Paren | exp.Tuple) else None

    def assign(self: Any, statement: Any) -> Any:
        found = struct_assignment(statement)
        if found is None:
            return assign_one(self, statement)
        target, select = found
        names = target.expressions if isinstance(target, exp.Tuple) else [target.this]
        for name, expression in zip(names, select.expressions, strict=True):
            one = select.copy()
            one.set("kind", None)
            one.set("expressions", [expression.copy()])
            self.assign(self.variable(name.name), exp.Subquery(this=one))
        return None

    script.Interpreter.set = assign


def leave_memory_to_others() -> None:
    """DuckDB keeps what it has read, and drops it only at its limit; what a query needs beyond that, it writes down."""
    from local_bigquery.engine import database
    from local_bigquery.settings import settings

    connect = database._connect.__wrapped__

    @functools.cache
    def connect_within_limits() -> duckdb.DuckDBPyConnection:
        connection: duckdb.DuckDBPyConnection = connect()
        number, unit = str(connection.sql("SELECT current_setting('memory_limit')").fetchall()[0][0]).split()
        share = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * _SHARE_OF_MEMORY
        limit = int(min(float(number) * _UNITS[unit], share))
        connection.execute(f"SET memory_limit = '{limit}B'")
        connection.execute("SET temp_directory = ?", [str(settings.data_dir / "spilled")])
        return connection

    database._connect = connect_within_limits


class _Describer(CursorInFront):
    """A cursor that describes a statement with parameters where DuckDB's own would run it."""

    def sql(self, query: str, params: Any = None) -> duckdb.DuckDBPyRelation:
        """A relation with the query's columns; its rows too where there are no parameters."""
        if not params:
            return self._cursor.sql(query)
        from local_bigquery.engine.database import quote

        columns = self._cursor.execute(f"DESCRIBE {query}", params).fetchall()
        nothing = ", ".join(f"CAST(NULL AS {kind}) AS {quote(name)}" for name, kind, *_ in columns)
        return self._cursor.sql(f"SELECT {nothing}")


def run_a_query_with_parameters_once() -> None:
    """The emulator asks twice for a query's columns before it keeps its rows; with parameters, each of them ran it."""
    from local_bigquery.catalog import tables

    write = tables.write

    @functools.wraps(write)
    def write_once(cur: Any, *args: Any, isolated: bool = False, **options: Any) -> Any:
        # An isolated one reads the rows from the relation
        return write(cur if isolated else _Describer(cur), *args, isolated=isolated, **options)

    tables.write = write_once


def allow_large_messages() -> None:
    """Let the Storage API's server take what BigQuery's takes."""
    make_server = grpc.server

    def server(*args: Any, **options: Any) -> Any:
        limits = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.max_send_message_length", -1)]
        options["options"] = [*(options.get("options") or []), *limits]
        return make_server(*args, **options)

    grpc.server = server


def accept_partition_filters_in_merge_conditions() -> None:
    """The emulator wants a required partition filter in WHERE; BigQuery, and dbt, put it into MERGE … ON too."""
    from local_bigquery.errors import BigQueryError
    from local_bigquery.jobs import merge
    from local_bigquery.sql.rules import tables

    in_merge = contextvars.ContextVar("in_merge", default=False)
    run, check = merge.run, tables._check

    def run_marked(*args: Any, **options: Any) -> Any:
        token = in_merge.set(True)
        try:
            return run(*args, **options)
        finally:
            in_merge.reset(token)

    def check_unless_merging(*args: Any, **options: Any) -> Any:
        try:
            return check(*args, **options)
        except BigQueryError as error:
            if not (in_merge.get() and "can be used for partition elimination" in error.message):
                raise
            return None

    merge.run, tables._check = run_marked, check_unless_merging


def tell_the_refresh_interval_of_materialized_views() -> None:
    """dbt reads materializedView.refreshIntervalMs at its second run."""
    from local_bigquery.catalog import tables

    get = tables.get

    def get_with_interval(*args: Any, **options: Any) -> Any:
        table = get(*args, **options)
        view = getattr(table, "materializedView", None)
        if view is not None and view.refreshIntervalMs is None:
            return table.replace(materializedView=view.replace(refreshIntervalMs="1800000"))
        return table

    tables.get = get_with_interval


def queue_inserts_behind_statements() -> None:
    """DuckLake aborts one of two commits to a table at the same time: let streaming inserts take turns with DML."""
    from local_bigquery.catalog import tabledata
    from local_bigquery.engine import database

    insert_all = tabledata.insert_all

    def insert_in_turn(project_id: str, dataset_id: str, table_id: str, body: Any) -> Any:
        with database.writing(project_id, dataset_id, table_id):
            return insert_all(project_id, dataset_id, table_id, body)

    tabledata.insert_all = insert_in_turn


def arguments(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Our own arguments, and local-bigquery's."""
    parser = argparse.ArgumentParser(
        prog="python -m csat.local.emulator.serve", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("--token-file", type=Path, required=True, help="file with the token that clients must send")
    parser.add_argument("--key-file", type=Path, help="service account key to write for dbt and Google's own tools")
    parser.add_argument("--allow-host", action="append", default=[], help="name beside 127.0.0.1 and localhost")
    parser.add_argument("--port", type=int, default=9050)
    parser.add_argument("--project", default="csat-local")
    known, rest = parser.parse_known_args(words)
    return known, [*rest, "--port", str(known.port), "--project", known.project]


def let_in(own: argparse.Namespace) -> None:
    """Ask every client for the token, and offer the key where one is wanted."""
    try:
        token = token_of(own.token_file)
    except (OSError, ValueError) as error:
        sys.exit(f"error: no token for the emulator: {error}, fix: `csat up` makes it")
    answers = {}
    if own.key_file:
        answers[PATH] = offer_key(own.key_file, f"http://127.0.0.1:{own.port}", own.project, token)
    let_in_by_token(Access(token, (*HOSTS, *own.allow_host)), answers)


def main() -> None:
    """Serve until SIGTERM, with our arguments and local-bigquery's own."""
    own, words = arguments(sys.argv[1:])
    install_extensions()
    allow_large_messages()
    name_the_table_of_create_as_select()
    assign_from_struct()
    accept_partition_filters_in_merge_conditions()
    tell_the_refresh_interval_of_materialized_views()
    queue_inserts_behind_statements()
    store_rows_of_a_partition_together()
    replace_partitions_by_their_filter()
    leave_memory_to_others()
    keep_to_own_files(EXTENSIONS)
    run_a_query_with_parameters_once()
    find_tables_by_name()
    find_temporary_tables_in_sessions_only()
    skip_the_pandas_import()
    keep_parsed_statements()
    keep_types()
    forget_old_results()
    let_in(own)
    from local_bigquery.cli import main as serve

    serve(words)


if __name__ == "__main__":
    main()
