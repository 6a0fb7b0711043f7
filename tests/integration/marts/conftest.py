"""An emulator of its own, and a landing table that the tests write rows into."""

import json
import os
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery

from csat.settings import ROOT, Settings
from local.ports import free_ports
from tests.integration.conftest import wait_for
from warehouse import marts
from warehouse.client import Warehouse
from warehouse.tables import create_datasets, create_landing_table, create_ops_tables

# In the order of dbt's graph. pipeline_health is a view that asks the clock.
TABLES = (
    "fct_survey_responses",
    "int_agents_dated",
    "dim_agents",
    "agg_agent_daily",
    "agg_category_daily",
    "agg_response_hourly",
    "agent_leaderboard",
    "category_ranking",
    "response_series",
)

Rows = list[dict[str, Any]]


def survey_response(number: int, answered_at: datetime, **changes: Any) -> dict[str, Any]:
    """A landing row: Kafka has it a second after the answer, the stream a minute after."""
    row = {
        "response_id": f"r{number}",
        "schema_version": 1,
        "case_id": f"c{number}",
        "channel": "Email",
        "category": "Returns",
        "sub_category": "Wrong",
        "issue_reported_at": answered_at - timedelta(hours=30),
        "issue_responded_at": answered_at - timedelta(hours=29),
        "survey_answered_at": answered_at,
        "agent_id": "a1",
        "agent_name": "Ada",
        "supervisor_name": "Sam",
        "manager_name": "Max",
        "tenure_bucket": ">90",
        "shift": "Morning",
        "csat_score": 5,
        "kafka_topic": "messages",
        "kafka_partition": 0,
        "kafka_offset": number,
        "kafka_timestamp": answered_at + timedelta(seconds=1),
        "ingested_at": answered_at + timedelta(minutes=1),
        "batch_id": "b1",
    }
    return row | changes


@dataclass
class Marts:
    """One landing table, its marts, and every row that was put in."""

    settings: Settings
    warehouse: Warehouse
    landed: Rows = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def land(self, rows: Rows) -> None:
        """Load rows as the stream does: by a load job."""
        table = self.warehouse.client.get_table(self.settings.table("raw", "survey_responses"))
        plain = json.loads(json.dumps(rows, default=lambda value: value.isoformat()))
        config = bigquery.LoadJobConfig(schema=table.schema)
        self.warehouse.client.load_table_from_json(plain, table, job_config=config).result(timeout=60)
        self.landed += rows

    def build(self, **options: Any) -> marts.BuildReport:
        """Build, and keep what the build said."""
        self.lines.clear()
        return marts.build(self.settings, on_progress=self.lines.append, **options)

    def execute(self, statement: str, role: Any, table: str) -> Rows:
        """Run SQL in which {table} stands for the table."""
        return self.warehouse.rows(statement.format(table=self.settings.table(role, table)))

    def read(self, table: str) -> Rows:
        """All rows of a mart."""
        return self.execute("select * from `{table}`", "marts", table)

    def snapshot(self) -> dict[str, list[str]]:
        """Every row of every mart, in an order that does not depend on how it was written."""
        return {table: sorted(str(sorted(row.items())) for row in self.read(table)) for table in TABLES}


def _start_emulator(settings: Settings) -> "subprocess.Popen[bytes]":
    settings.state.mkdir(parents=True, exist_ok=True)
    options = ["--host", "127.0.0.1", "--project", settings.project_id, "--data-dir", str(settings.state / "emulator")]
    options += ["--port", str(settings.bigquery_port), "--grpc-port", str(settings.bigquery_grpc_port)]
    with (settings.state / "emulator.log").open("wb") as log:
        return subprocess.Popen(
            [str(ROOT / ".venvs/emulator/bin/python"), "-m", "local.bigquery_emulator", *options],
            env={**os.environ, "GCS_LOCAL_ROOT": str(settings.staging_root)},
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _answers(settings: Settings) -> bool:
    address = f"{settings.endpoint}/bigquery/v2/projects/{settings.project_id}/datasets"
    try:
        with urllib.request.urlopen(address, timeout=2) as response:  # noqa: S310  # our own address
            return bool(response.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings of a running emulator."""
    state: Path = tmp_path_factory.mktemp("marts")
    settings = Settings(state_dir=state, _env_file=None, **free_ports())
    process = _start_emulator(settings)
    try:
        wait_for(lambda: _answers(settings), 60, "answer of the emulator")
        yield settings
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def make_marts(emulator: Settings) -> Iterator[Callable[[str], Marts]]:
    """Makes empty marts by dataset prefix."""
    with_open: list[Warehouse] = []

    def make(prefix: str) -> Marts:
        settings = emulator.model_copy(update={"dataset_prefix": prefix})
        warehouse = Warehouse(settings)
        with_open.append(warehouse)
        create_datasets(warehouse)
        create_landing_table(warehouse)
        create_ops_tables(warehouse)
        return Marts(settings, warehouse)

    yield make
    for warehouse in with_open:
        warehouse.client.close()


def at(day: date, hour: int = 12, minute: int = 0) -> datetime:
    """A UTC moment of a day."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
