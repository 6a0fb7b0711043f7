"""Spark 4.0, which Google Cloud has, does the work of the newest.

`make test-long NAME=spark-4-0` runs every test with it.
"""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from csat.contract.settings import ROOT
from tests.integration.conftest import World

pytestmark = pytest.mark.integration

SPARK_4_0 = str(ROOT / ".venvs" / "spark40" / "bin" / "python")


def test_spark_4_0_goes_on_with_the_checkpoint_of_the_newest_and_finds_its_job(world: World, make_message):
    world.send(make_message(csat_score=4), b"\xff")
    assert replace(world, python=sys.executable).start_driver("--catch-up").exit_code() == 0
    lose_commit(Path(world.settings.checkpoint))
    world.send(make_message(csat_score=9))
    older = replace(world, python=SPARK_4_0).start_driver("--catch-up")
    assert older.exit_code() == 0
    assert older.log.read_text().count("Landed 2 rows") == 1
    rows = world.rows("kafka_offset, csat_score, rejection_reason, kafka_partition")
    assert [tuple(row.values())[:3] for row in rows] == [
        (0, 4, None),
        (1, None, "not UTF-8"),
        (2, None, "csat_score out of range"),
    ]


def lose_commit(checkpoint: Path) -> None:
    [commit] = [file for file in (checkpoint / "commits").iterdir() if file.name.isdigit()]
    commit.unlink()
    commit.with_name(f".{commit.name}.crc").unlink(missing_ok=True)
