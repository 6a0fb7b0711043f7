"""A separate emulator, and a landing table that the tests write rows into."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import pytest
from google.cloud import bigquery

from csat.bigquery.client import Warehouse
from csat.contract.settings import ROOT, DatasetRole, Settings
from csat.marts import build as marts
from tools.bench import emulator as emulators

# Every model that is a table
TABLES = tuple(
    sorted(
        file.stem
        for folder in ("intermediate", "marts")
        for file in (ROOT / "dbt" / "models" / folder).glob("*.sql")
        if not re.search("materialized='(view|ephemeral)'", file.read_text())
    )
)

Rows = list[dict[str, Any]]


def survey_response(number: int, answered_at: datetime, **changes: Any) -> dict[str, Any]:
    """A landing row: Kafka received it a second after the response, the stream read it a minute after."""
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
    """One landing table, its marts, and every row that was loaded."""

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
        """Build, and record the progress lines."""
        self.lines.clear()
        return marts.build(self.settings, on_progress=self.lines.append, **options)

    def execute(self, statement: str, role: Any, table: str) -> Rows:
        """Run SQL in which {table} stands for the table."""
        return self.warehouse.rows(statement.format(table=self.settings.table(role, table)))

    def read(self, table: str) -> Rows:
        """All rows of a mart, as its readers see them; of a part of marts, those that dbt wrote."""
        return self.execute("select * from `{table}`", "candidate" if table.startswith("int_") else "marts", table)

    def drop(self) -> None:
        """Delete every table."""
        for role in get_args(DatasetRole):
            dataset = f"{self.settings.project_id}.{self.settings.dataset(role)}"
            self.warehouse.client.delete_dataset(dataset, delete_contents=True, not_found_ok=True, timeout=60)

    def snapshot(self) -> dict[str, list[str]]:
        """Every row of every mart, in an order that does not depend on how it was written."""
        return {table: sorted(str(sorted(row.items())) for row in self.read(table)) for table in TABLES}


@pytest.fixture(scope="package")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings of a running emulator; a dbt server runs too."""
    settings = emulators.own_settings(tmp_path_factory.mktemp("marts"))
    with emulators.dbt_ready(settings), emulators.emulator(settings):
        yield settings


@pytest.fixture(scope="package")
def make_marts(emulator: Settings) -> Iterator[Callable[[], Marts]]:
    """Creates empty marts in place of those before, under the same names.

    The emulator translates a statement once, and each table that it holds slows it.
    """
    with ExitStack() as stack:

        def make() -> Marts:
            stack.close()
            marts = Marts(emulator, stack.enter_context(emulators.empty_warehouse(emulator)))
            stack.callback(marts.drop)
            return marts

        yield make


def at(day: date, hour: int = 12, minute: int = 0) -> datetime:
    """A UTC moment of a day."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def published(made: Marts) -> Marts:
    """The marts with three responses of three days, built and published."""
    made.land([survey_response(number, at(date(2026, 11, 1 + number))) for number in range(3)])
    made.build()
    return made
