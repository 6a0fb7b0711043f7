"""The event gets a field and a version while old and new events are in the topic: nothing is lost on the way."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from csat.bigquery.rejected import Rejected
from csat.bigquery.tables import create_ops_tables
from csat.contract.settings import ROOT, environment
from producer.replay import replay
from tests.integration.conftest import Driver, World

pytestmark = pytest.mark.integration

# What a developer edits: the version, and the field
EDITS = [
    ("SUPPORTED_SCHEMA_VERSIONS = (1,)", "SUPPORTED_SCHEMA_VERSIONS = (1, 2)"),
    (
        "    csat_score: Annotated[int, DataSubject.NOBODY] = Field(",
        "    contact_reason: Annotated[str | None, DataSubject.CUSTOMER] = Field(\n"
        '        default=None, description="Why the customer wrote."\n'
        "    )\n"
        "    csat_score: Annotated[int, DataSubject.NOBODY] = Field(",
    ),
]
MAKE_TABLE = """
from csat.contract import landing
landing.SCHEMA_FILE.write_text(landing.bigquery_schema_json())
from csat.contract.settings import get_settings
from csat.bigquery.client import Warehouse
from csat.bigquery.tables import create_landing_table
with Warehouse(get_settings()) as warehouse:
    create_landing_table(warehouse)
"""


@pytest.fixture
def upgraded(tmp_path: Path) -> Path:
    """The code after the edits."""
    folder = tmp_path / "upgraded"
    for package in ("csat", "spark"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    event = folder / "csat" / "contract" / "event.py"
    text = event.read_text()
    for old, new in EDITS:
        assert text.count(old) == 1
        text = text.replace(old, new)
    event.write_text(text)
    return folder


def test_new_field_reaches_its_column_and_what_was_rejected_before_follows(world: World, make_message, upgraded: Path):
    create_ops_tables(world.warehouse)
    newer = make_message(schema_version=2, contact_reason="parcel lost", csat_score=1)
    world.send(make_message(), newer, make_message(csat_score=2))
    assert world.start_driver("--catch-up").exit_code() == 0
    reasons = [row["rejection_reason"] for row in world.rows("rejection_reason, kafka_partition, kafka_offset")]
    assert reasons == [None, "unsupported schema_version", None]

    run(world, upgraded, "-c", MAKE_TABLE)
    world.send(make_message(csat_score=3), make_message(schema_version=2, contact_reason="thanks", csat_score=4))
    assert replay(world.settings, Rejected("unsupported schema_version"), limit=10).replayed == 1
    driver = Driver(world.settings, [world.python, "-m", "spark.stream_responses", "--catch-up"], code=upgraded)
    assert driver.exit_code() == 0

    accepted = world.rows("csat_score, schema_version, contact_reason", where="rejection_reason is null")
    assert sorted(tuple(row.values()) for row in accepted if row["schema_version"] == 1) == [
        (2, 1, None),
        (3, 1, None),
        (5, 1, None),
    ]
    assert sorted(tuple(row.values()) for row in accepted if row["schema_version"] == 2) == [
        (1, 2, "parcel lost"),
        (4, 2, "thanks"),
    ]


def run(world: World, folder: Path, *arguments: str) -> None:
    """Run Python on the code of the folder."""
    variables = environment(**world.settings.as_environment(), PYTHONPATH=str(folder))
    subprocess.run([sys.executable, *arguments], cwd=folder, env=variables, timeout=120, check=True)
