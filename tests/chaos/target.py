"""The target: a separate stack, with everything that a fault or a check needs."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from csat.bigquery.client import Warehouse
from csat.clients import airflow_api
from csat.contract import landing
from csat.contract.settings import ROOT, Settings, environment
from csat.control.state_files import StateFiles
from csat.control.verdict import ran_stably
from csat.local import kafka, programs, stack
from csat.local.ports import free_ports
from csat.local.programs import AIRFLOW, PYTHON, STREAM
from csat.local.readiness import bigquery_is_ready
from csat.local.supervisord import Supervisord
from csat.monitoring.completeness import Completeness, check_completeness
from tests.chaos import saboteur
from tests.chaos.load import CSAT, Load
from tests.drivers import driver_ids

EVENTS_PER_SECOND = 20
STAGING_MEGABYTES = 128
_HEARTBEATS = ("latest_scheduler_heartbeat", "latest_triggerer_heartbeat", "latest_dag_processor_heartbeat")


@dataclass
class Target:
    """A running stack under load."""

    settings: Settings
    load: Load = field(init=False)

    @property
    def supervisor(self) -> Supervisord:
        """The stack's supervisord."""
        return Supervisord(self.settings)

    @property
    def state_files(self) -> StateFiles:
        """The stream's state files."""
        return StateFiles(self.settings.state_files)

    @property
    def commits(self) -> Path:
        """Folder of the checkpoint's commit files."""
        return Path(self.settings.checkpoint) / "commits"

    def last_commit(self) -> float:
        """When the stream last committed a batch, in epoch seconds; 0 if never."""
        times = [0.0]
        with contextlib.suppress(FileNotFoundError):
            for file in self.commits.iterdir():
                if file.name.isdigit():
                    with contextlib.suppress(FileNotFoundError):
                        times.append(file.stat().st_mtime)
        return max(times)

    def lives_well(self) -> bool:
        """Whether the driver has worked long enough for the guard to treat its end as a new problem."""
        desired_state = self.state_files.desired_state()
        return desired_state is not None and ran_stably(self.state_files.heartbeat(), desired_state)

    def pid(self, program: str) -> int:
        """The program's process id; 0 if it does not run."""
        return int(self.supervisor.programs()[program]["pid"])

    def signal(self, program: str, number: signal.Signals) -> int:
        """Signal the program's whole group; returns its id. Waits for a program that is just being started."""
        deadline = time.monotonic() + 60
        while not (pid := self.pid(program)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{program} does not run")
            time.sleep(0.2)
        os.killpg(os.getpgid(pid), number)
        return pid

    @contextmanager
    def frozen(self, program: str) -> Iterator[None]:
        """The program's whole group stands still inside."""
        pid = self.signal(program, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(os.getpgid(pid), signal.SIGCONT)

    def drivers(self) -> int:
        """The number of drivers."""
        return len(driver_ids(self.settings.state, lambda command: str(saboteur.__file__) in command))

    def has_services(self) -> bool:
        """Whether Kafka and BigQuery respond."""
        return kafka.is_ready(self.settings) and bigquery_is_ready(self.settings)

    def is_airflow_healthy(self, since: datetime) -> bool:
        """Whether every component has a heartbeat since then, and a live triggerer watches the stream's task."""
        states = self.supervisor.programs()
        if any(states[name]["statename"] != "RUNNING" for name in AIRFLOW):
            return False
        try:
            heartbeats = [
                part.get(key)
                for part in airflow_api.health(self.settings).values()
                for key in part
                if key in _HEARTBEATS
            ]
            path = "dags/run_stream/dagRuns/~/taskInstances?state=deferred"
            tasks = airflow_api.call(self.settings, "GET", path)["task_instances"]
        except airflow_api.AirflowError:
            return False
        heartbeats += [(task.get("triggerer_job") or {}).get("latest_heartbeat") for task in tasks]
        are_recent = (time and datetime.fromisoformat(time) > since for time in heartbeats)
        return len(heartbeats) > len(_HEARTBEATS) and all(are_recent)

    def completeness(self) -> Completeness:
        """Whether every Kafka message is one row."""
        with Warehouse(self.settings) as warehouse:
            return check_completeness(warehouse)

    def row_count(self) -> int:
        """Rows of the landing table."""
        return int(self.rows(f"select count(*) as n from `{self.settings.table('raw', landing.TABLE)}`")[0]["n"])

    def csat(self, *arguments: str, seconds: float = 400) -> str:
        """The output of a csat command."""
        done = subprocess.run(
            [CSAT, *arguments],
            env=environment(**self.settings.as_environment()),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"csat {' '.join(arguments)} exited with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a query."""
        with Warehouse(self.settings) as warehouse:
            return warehouse.rows(sql)


@contextmanager
def load(target: Target, seed: int, rate: float = EVENTS_PER_SECOND) -> Iterator[None]:
    """Sends events while it is open, except where a fault pauses it."""
    target.load = Load(target.settings, seed, rate)
    target.load.start()
    try:
        yield
    finally:
        target.load.stop()


def chaos_settings(state: Path, **changes: Any) -> Settings:
    """Settings of a stack on free ports, whose folder of state files is a link, so that a fault can point it away."""
    return Settings(
        state_dir=state, state_files_uri=str(state / "state-files"), _env_file=None, **free_ports(), **changes
    )


@contextmanager
def running(settings: Settings) -> Iterator[Target]:
    """A stack of `chaos_settings` whose driver can be killed between any two steps, and with a small staging folder."""
    settings.staging_root.mkdir(parents=True, exist_ok=True)
    link = Path(settings.state_files)
    link.with_name("stream").mkdir(exist_ok=True)
    link.symlink_to(link.with_name("stream"))
    with _small_folder(settings.staging_root), _sabotaged_driver(), stack.running(settings, print, has_dashboard=False):
        yield Target(settings)


@contextmanager
def _sabotaged_driver() -> Iterator[None]:
    make = programs.stream
    command = [str(PYTHON), str(saboteur.__file__), "--managed"]
    variables = {"PYTHONPATH": str(ROOT)}

    def make_sabotaged() -> programs.Program:
        program = make()
        return replace(program, command=command, environment=program.environment | variables)

    programs.stream = make_sabotaged
    try:
        yield
    finally:
        programs.stream = make


@contextmanager
def _small_folder(folder: Path) -> Iterator[None]:
    if os.geteuid():
        yield
        return
    options = ["-o", f"size={STAGING_MEGABYTES}m", "-t", "tmpfs", "tmpfs"]
    subprocess.run(["mount", *options, str(folder)], check=True, timeout=30)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=30)


__all__ = ["EVENTS_PER_SECOND", "STAGING_MEGABYTES", "STREAM", "Target", "chaos_settings", "load", "running"]
