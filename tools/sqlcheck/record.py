"""Records the statements that dbt would send to BigQuery, without BigQuery: `python -m tools.sqlcheck.record <file>`.

dbt itself renders every statement, including the MERGE of an incremental model; its adapter's network calls are
replaced here. First a build into an empty warehouse, then a run where every table exists. Unit tests are excluded: the
integration tests run them.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import agate
from dbt.adapters.bigquery import BigQueryAdapter, BigQueryRelation
from dbt.adapters.bigquery.column import BigQueryColumn
from dbt.adapters.bigquery.connections import BigQueryAdapterResponse, BigQueryConnectionManager
from dbt.adapters.contracts.relation import RelationType
from dbt.artifacts.resources.types import NodeType
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt_common.clients.agate_helper import Integer

from csat.bigquery import tables
from csat.contract.settings import ROOT, Settings, environment, replace_environment
from tools.sqlcheck.recording import Recording, Statement

_TEMPORARY = "__dbt_tmp"
_VIEW = tables.landed_messages_statement(Settings(_env_file=None))  # a source of the project that csat makes
_LOGIN = {"DBT_ENV_SECRET_CSAT_BIGQUERY_TOKEN": "none"}  # nothing is sent: no stack is needed
# Calls of dbt's adapter that would query BigQuery: the recorder returns the result, or this value is returned.
_RECORDED = ("get_column_schema_from_query", "get_relation", "get_columns_in_relation")
_IGNORED = {
    "create_schema": None,
    "drop_relation": None,
    "expand_target_column_types": None,
    "is_replaceable": True,
    "list_schemas": (),
    "update_columns": None,
}


class DbtError(Exception):
    """dbt could not render the project; the message is its own."""


class Recorder:
    """Replaces BigQuery: records the statements, and returns results from the project's files."""

    def __init__(self, manifest: Manifest) -> None:
        self._nodes: dict[str, Any] = dict(manifest.nodes)
        self._models = {node.alias: node for node in self._nodes.values() if node.resource_type == NodeType.Model}
        self._compared_sql: str | None = None
        self.statements: list[Statement] = []
        self.has_tables = False

    def execute(self, connections: BigQueryConnectionManager, sql: str, *_: Any, **__: Any) -> tuple[Any, Any]:
        """Record the statement; for a test, return that it found nothing."""
        self._record(connections, sql)
        columns = {"failures": Integer(), "should_warn": agate.Boolean(), "should_error": agate.Boolean()}
        response = BigQueryAdapterResponse("OK", rows_affected=0, code="OK", bytes_processed=0)
        return response, agate.Table([(0, False, False)], list(columns), list(columns.values()))

    def get_column_schema_from_query(self, adapter: BigQueryAdapter, sql: str) -> list[BigQueryColumn]:
        """Record the two queries whose columns dbt compares for a contract, the model's and then the contract's."""
        if self._compared_sql is None:
            self._compared_sql = sql
        else:
            self._record(adapter.connections, self._compared_sql, sql)
            self._compared_sql = None
        return []

    def get_relation(self, _: BigQueryAdapter, database: str, schema: str, identifier: str) -> BigQueryRelation | None:
        """The model's table or view, where the warehouse has tables."""
        model = self._models.get(identifier)
        if model is None or not self.has_tables:
            return None
        kind = RelationType.View if model.config.materialized == "view" else RelationType.Table
        return BigQueryRelation.create(database=database, schema=schema, identifier=identifier, type=kind)

    def get_columns_in_relation(self, _: BigQueryAdapter, relation: BigQueryRelation) -> list[BigQueryColumn]:
        """The columns that the model's contract names."""
        model = self._models[str(relation.identifier).split(_TEMPORARY)[0]]
        return [BigQueryColumn(column.name, column.data_type) for column in model.columns.values()]

    def _record(self, connections: BigQueryConnectionManager, sql: str, contract: str | None = None) -> None:
        node = self._nodes[str(connections.get_thread_connection().name)]
        path = f"dbt/{node.original_file_path}"
        what = f"{path}, test {node.name}" if node.resource_type == NodeType.Test else path
        form = " (incremental)" if self.has_tables and node.resource_type == NodeType.Model else ""
        self.statements.append(Statement(origin=what + form, sql=sql, contract=contract))

    def attach(self) -> None:
        """Replace BigQuery in this process's dbt."""
        _replace(BigQueryConnectionManager, "execute", self.execute)
        for name in _RECORDED:
            _replace(BigQueryAdapter, name, getattr(self, name))
        for name, value in _IGNORED.items():
            _replace(BigQueryAdapter, name, lambda *_, value=value, **__: value)


def _replace(owner: type, name: str, replacement: Callable[..., Any]) -> None:
    """Replace a method by a function; `replacement` also gets the object."""
    setattr(owner, name, lambda *arguments, **options: replacement(*arguments, **options))


def record(project: Path, work: Path) -> Recording:
    """Every statement of a dbt project; dbt's own files go to the folder `work`. Raises DbtError."""
    folders = ["--project-dir", str(project), "--profiles-dir", str(project)]
    options = [*folders, "--target-path", str(work), "--log-path", str(work), "--target", "emulator", "--quiet"]
    manifest = _dbt(None, ["parse", *options])
    recorder = Recorder(manifest)
    recorder.attach()
    steps = [*options, "--threads", "1", "--no-populate-cache"]
    _dbt(manifest, ["build", *steps, "--exclude-resource-type", "unit_test"])
    recorder.has_tables = True
    for node in manifest.nodes.values():
        node.compiled = node.extra_ctes_injected = False  # what ephemeral models are depends on the tables
        node.extra_ctes = []
    _dbt(manifest, ["run", *steps])
    return _recording(manifest, recorder.statements)


def _recording(manifest: Manifest, statements: Sequence[Statement]) -> Recording:
    """The statements with the sources that they read; one that is a view of another is created first."""
    sources = {
        f"{source.database}.{source.schema}.{source.identifier}": source.identifier
        for source in manifest.sources.values()
    }
    views = [name for name, table in sources.items() if table == tables.LANDED_MESSAGES]
    made = [Statement(origin=f"{name}, a view", sql=_VIEW) for name in views]
    database = next(iter(manifest.nodes.values())).database
    return Recording(
        project=database,
        sources={name: table for name, table in sources.items() if name not in views},
        statements=(*made, *statements),
    )


def _dbt(manifest: Manifest | None, command: Sequence[str]) -> Any:
    outcome = dbtRunner(manifest).invoke(list(command))
    if not outcome.success:
        failed = [
            f"{result.node.name}: {result.message}"
            for result in getattr(outcome.result, "results", [])
            if result.message
        ]
        raise DbtError(str(outcome.exception or "\n".join(failed)))
    return outcome.result


def main() -> int:
    """Write the recording to the file that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tools.sqlcheck.record", description="Record dbt's statements.")
    parser.add_argument("recording", type=Path, help="file to write")
    parser.add_argument("--project", type=Path, default=ROOT / "dbt", help="folder of the dbt project")
    arguments = parser.parse_args()
    path: Path = arguments.recording.absolute()
    replace_environment(environment(**_LOGIN))
    try:
        recording = record(arguments.project.absolute(), path.parent / "dbt")
    except DbtError as error:
        print(f"sqlcheck: {error}", file=sys.stderr)
        return 2
    path.write_text(json.dumps(recording.model_dump(), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
