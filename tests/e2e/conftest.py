"""The whole platform, driven by its command line: one stack on free ports for all tests of this folder."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from csat.bigquery.client import Warehouse
from csat.clients import airflow_api
from csat.contract.settings import ROOT, DatasetRole, Settings, environment
from csat.local.ports import free_ports

CSAT = str(ROOT / ".venv" / "bin" / "csat")
RUNS = "dags/run_stream/dagRuns"


@dataclass
class Platform:
    """A running stack."""

    settings: Settings

    def csat(self, *arguments: str, seconds: float = 400, expect: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run a csat command; fails the test on another exit code."""
        done = subprocess.run(
            [CSAT, *arguments],
            env=environment(**self.settings.as_environment()),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if expect is not None and done.returncode != expect:
            output = f"{done.stdout}\n{done.stderr[-3000:]}"
            pytest.fail(f"csat {' '.join(arguments)} exited with {done.returncode}:\n{output}")
        return done

    def json(self, *arguments: str, expect: int | None = 0) -> Any:
        """The JSON document that a command prints."""
        return json.loads(self.csat(*arguments, "--json", expect=expect).stdout)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a query; {raw}, {marts} and {ops} stand for the datasets."""
        roles: tuple[DatasetRole, ...] = ("raw", "marts", "ops")
        names: dict[str, str] = {role: f"{self.settings.project_id}.{self.settings.dataset(role)}" for role in roles}
        with Warehouse(self.settings) as warehouse:
            return warehouse.rows(sql.format(**names))

    def airflow(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """A response of Airflow's API, with the generated login."""
        return airflow_api.call(self.settings, method, path, body)

    def guard_log(self, run: str) -> str:
        """The task log of the last try of this DAG run, with exception messages."""
        path = f"{RUNS}/{run}/taskInstances/guard_stream"
        tries = self.airflow("GET", path)["try_number"]
        said = []
        for line in self.airflow("GET", f"{path}/logs/{tries}?full_content=true")["content"]:
            said += [line["event"], *(error["exc_value"] for error in line.get("error_detail") or [])]
        return "\n".join(said)


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The whole stack; stopped after the last test."""
    with running_platform(tmp_path_factory.mktemp("state")) as running:
        yield running


@contextmanager
def running_platform(state_dir: Path, **options: Any) -> Iterator[Platform]:
    """A separate stack on free ports, with these settings."""
    running = Platform(Settings(state_dir=state_dir, _env_file=None, **free_ports(), **options))
    try:
        running.csat("up")
        yield running
    finally:
        running.csat("down", expect=None)


def processes_of(settings: Settings) -> list[str]:
    """Command lines of all processes that use this stack's state folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(settings.state) in process.environ().values() and process.pid != os.getpid():
                found.append(" ".join(process.cmdline()))
    return found
