"""A file through the real broker: all of it or exactly what is said, and a second sending adds no response."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from csat.contract.settings import ROOT, environment
from csat.kafka.offsets import kafka_offsets
from tests.integration.conftest import World, wait_for
from tests.integration.stream.conftest import Land
from tests.unit.producer.csv_samples import HEADER, rows, write

pytestmark = pytest.mark.integration

# Several seconds of sending, so that Ctrl-C comes in the middle.
MANY = 40_000


def start(world: World, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "csat.cli.main", "simulate", "--from-csv", path, "--json"],
        env=environment(**world.settings.as_environment()),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )


def in_topic(world: World) -> int:
    return sum(offsets.end for offsets in kafka_offsets(world.settings, [world.settings.kafka_topic]).values())


def test_ctrl_c_names_the_number_of_rows_that_the_topic_has(world: World, tmp_path: Path) -> None:
    sending = start(world, write(tmp_path, HEADER, *rows(*[{}] * MANY)))
    wait_for(lambda: in_topic(world), 120, "message", pause=0.05)
    sending.send_signal(signal.SIGINT)
    out, err = sending.communicate(timeout=120)
    assert sending.returncode == 130, err
    said = re.search(r"^sent ([\d,]+) of 40,000 rows of .*, fix: send the file again: ", err, re.MULTILINE)
    assert said, err
    sent = int(said[1].replace(",", ""))
    assert 0 < sent == in_topic(world) == json.loads(out)["sent"] < MANY


def test_file_is_checked_as_a_whole_and_sent_twice_lands_as_the_same_responses(
    world: World, land: Land, tmp_path: Path
) -> None:
    bad = start(world, write(tmp_path, HEADER, *rows(*[{}] * 300, {"score": "0"})))
    out, err = bad.communicate(timeout=120)
    assert (bad.returncode, in_topic(world)) == (1, 0)
    assert "line 302: CSAT Score '0' is not" in json.loads(out)["message"]
    assert "line 302: CSAT Score '0' is not a whole number from 1 to 5, fix: " in err
    assert "Traceback" not in err

    path = write(tmp_path, HEADER, *rows(*[{}] * 300))
    for _ in range(2):
        sending = start(world, path)
        out, err = sending.communicate(timeout=120)
        assert sending.returncode == 0, err
        assert json.loads(out)["sent"] == 300
    assert land(world) == 0
    landed = world.rows("kafka_partition, kafka_offset, response_id, rejection_reason")
    assert len(landed) == 600
    assert {row["rejection_reason"] for row in landed} == {None}
    assert len({row["response_id"] for row in landed}) == 300
