"""Five faults on a running stack: nothing lost or duplicated, one driver, automatic recovery."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from csat.contract.settings import Settings, environment
from tests.chaos import saboteur
from tests.chaos.faults import FAULTS
from tests.chaos.run import attack, chosen, table
from tests.chaos.target import Target, chaos_settings, running

pytestmark = pytest.mark.e2e

LONGEST_SECONDS = 150  # 90 s is the SLO on two dedicated cores
FAULT_COUNT, SEED = 5, 6  # of Airflow, the disk, the driver, BigQuery and the checkpoint
MARTS_EVERY_SECONDS = 90  # `make chaos` has a build every half a minute, which is most of its CPU


def test_every_kind_of_fault_occurs_once_before_one_repeats_and_60_have_every_kind():
    common = {fault for fault in FAULTS if not fault.is_rare}
    assert 0 < len(common) < len(FAULTS)
    faults = chosen(3 * len(FAULTS), seed=3)
    second, third = len(common), len(common) + len(FAULTS)
    assert set(faults[:second]) == set(faults[third:][: len(common)]) == common
    assert set(faults[second:third]) == set(FAULTS)
    assert set(chosen(60, seed=3)) == set(FAULTS)
    assert faults != chosen(3 * len(FAULTS), seed=4)
    rare = [fault for fault in FAULTS if fault.is_rare]
    assert set(chosen(len(rare), seed=3, known=tuple(rare))) == set(rare)


def test_a_forking_driver_counts_once(tmp_path: Path):
    settings = Settings(state_dir=tmp_path, _env_file=None)
    code = "import os, time; os.fork(); print(flush=True); time.sleep(60)"
    command = [sys.executable, "-c", code, str(saboteur.__file__)]
    variables = environment(CSAT_STATE_DIR=str(settings.state))
    processes = []
    try:
        for count in (1, 2):
            started = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, start_new_session=True)
            processes.append(started)
            assert started.stdout is not None
            assert [started.stdout.readline() for _ in range(2)] == [b"\n"] * 2  # it and its fork
            assert Target(settings).drivers() == count
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=10)


def test_stream_recovers_from_faults_without_loss_or_help(tmp_path: Path):
    settings = chaos_settings(tmp_path / "state", marts_every_seconds=MARTS_EVERY_SECONDS)
    with running(settings) as target:
        outcomes = list(attack(target, chosen(FAULT_COUNT, SEED), SEED))
    print(table(outcomes))
    assert [outcome for outcome in outcomes if not outcome.is_good] == []
    assert max(outcome.seconds for outcome in outcomes) <= LONGEST_SECONDS
