"""A fresh Airflow for the tests (before anything imports it), and factories for the stream's state files."""

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from csat.airflow.decide import Plan
from csat.airflow.stream import Pace, Stream
from csat.airflow.stream_run import StreamRun
from csat.contract.settings import ROOT
from csat.control.state_files import StateFiles
from csat.control.verdict import DesiredState, Heartbeat, State
from tests.dags.fake_run import AT_ONCE, NOON, POLICY, Clock, FakeBackend

if importlib.util.find_spec("airflow") is None:
    collect_ignore_glob = ["test_*.py"]  # run with .venvs/airflow

AIRFLOW_HOME = Path(tempfile.mkdtemp(prefix="csat-airflow-"))
os.environ |= {
    "AIRFLOW_HOME": str(AIRFLOW_HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{AIRFLOW_HOME}/airflow.db",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}


@pytest.fixture(scope="session", autouse=True)
def _airflow_home() -> Iterator[None]:
    yield
    shutil.rmtree(AIRFLOW_HOME, ignore_errors=True)


@pytest.fixture
def state_files(tmp_path: Path) -> StateFiles:
    return StateFiles(str(tmp_path / "stream"))


@pytest.fixture
def make_desired_state() -> Callable[..., DesiredState]:
    def make(**changed: Any) -> DesiredState:
        return DesiredState.model_validate({"token": "a", "desired": "run", "reason": "test", "at": NOON} | changed)

    return make


@pytest.fixture
def make_heartbeat() -> Callable[..., Heartbeat]:
    """Makes the heartbeat of a driver that is healthy at noon."""

    def make(**changed: Any) -> Heartbeat:
        well = {"token": "a", "driver_id": "d", "state": State.RUNNING, "at": NOON, "started_at": NOON}
        return Heartbeat.model_validate(well | {"progress_at": NOON, "batch_id": 3, "rows_committed": 30} | changed)

    return make


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def make_run(state_files: StateFiles, clock: Clock, backend: FakeBackend) -> Callable[..., StreamRun]:
    def make(plan: Plan = AT_ONCE, process: FakeBackend = backend) -> StreamRun:
        return StreamRun(plan, Stream(state_files, process, POLICY, Pace()), clock, clock.sleep, clock.monotonic)

    return make
