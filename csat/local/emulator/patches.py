"""The patches to the package local-bigquery: what each replaces, and why. Used by csat.local.emulator.serve."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any

from csat.local.emulator import correctness, files, jobs, memory, speed


@dataclass(frozen=True)
class Patch:
    """`replacement` is called instead of the target, with the target's function as its first argument."""

    target: str  # in the package
    replacement: Callable[..., Any]
    reason: str

    def apply(self) -> None:
        """Replace the target. Raises ImportError or AttributeError where the package does not have it."""
        owner, _, name = f"local_bigquery.{self.target}".rpartition(".")
        original, call = getattr(resolve_name(owner), name), self.replacement

        @functools.wraps(original)
        def replacement(*args: Any, **options: Any) -> Any:
            return call(original, *args, **options)

        setattr(resolve_name(owner), name, replacement)


def _connected(step: Callable[[Any], None], reason: str) -> Patch:
    """A patch that runs the step once, on the new connection to DuckDB."""

    @functools.cache
    def connect_and_step(connect: Callable[[], Any]) -> Any:
        connection = connect()
        step(connection)
        return connection

    return Patch("engine.database._connect", connect_and_step, reason)


# By kind, and in the order in which they are applied: a later patch calls an earlier one of the same target.
PATCHES = {
    "correctness": (
        Patch("jobs.query.execute", correctness.name_table, "dbt reads job.destination after CREATE TABLE AS SELECT"),
        Patch("api.jobs.results", correctness.results_without_rows, "CREATE TABLE AS SELECT returns no rows"),
        Patch("sql.script.Interpreter.set", correctness.assign, "dbt says SET (a, b) = (SELECT AS STRUCT …)"),
        Patch("sql.rules.tables._check", correctness.check_unless_merging, "MERGE … ON can filter partitions too"),
        Patch("jobs.merge.run", correctness.merge_marked, "says the patch above that a MERGE runs"),
        Patch("catalog.tabledata.insert_all", correctness.insert_in_turn, "DuckLake aborts one of two commits at once"),
        _connected(jobs.fail_jobs_of_an_earlier_server, "a killed emulator's jobs were pending or running for ever"),
        _connected(correctness.show_destinations, "load jobs are counted by the table that JOBS names"),
    ),
    "speed": (
        Patch("sql.rules.ddl.split", speed.split_sorted, "a date is read faster where its rows are stored together"),
        Patch("jobs.merge.run", speed.merge_by_filter, "dbt's insert_overwrite compared the row ids of whole tables"),
        Patch("catalog.tables.write", speed.write_once, "a query with parameters also ran to find its columns"),
        Patch("engine.database.objects", speed.objects_by_name, "all tables were listed to find one"),
        Patch("engine.database.fetch", speed.fetch_by_name, "all columns were listed to find those of a table"),
        Patch("jobs.query.execute", speed.execute_apart, "all tables were listed where none can be temporary"),
        Patch("sql.translate.parse", speed.parse_once, "a repeated statement was parsed each time"),
        Patch("sql.script.parse", speed.parse_once, "the same function"),
        Patch("jobs.query.parse", speed.parse_once, "the same function"),
        Patch("sql.rules.typing._typed", speed.type_once, "the types of a repeated statement were found each time"),
        _connected(speed.skip_pandas, "DuckDB looked for pandas for each parameter of a statement"),
    ),
    "memory": (
        _connected(memory.limit, "DuckDB caches what it reads, up to four fifths of the machine"),
        _connected(memory.forget_old_results, "the result of every query was kept for ever"),
        Patch("catalog.tables.delete", memory.delete_if_there, "a job whose result is forgotten could not be deleted"),
    ),
    "security": (
        _connected(files.lock_database, "a statement could read and write every file; no setting changes after it"),
        Patch("engine.database.attach", files.attach_checked, "a project's id becomes a path and a part of SQL"),
        Patch("jobs.storage._local", files.local_inside, "an address of a job could lead out of the buckets"),
        Patch("jobs.storage._matches", files.matches_inside, "a link in a bucket could lead out of it"),
    ),
}


def apply() -> None:
    """Apply every patch."""
    for patches in PATCHES.values():
        for patch in patches:
            patch.apply()
