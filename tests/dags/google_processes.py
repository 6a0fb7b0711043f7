"""Google Cloud as processes of this machine: a batch is the stream's real driver, a run of the job is the real csat.

Both have the environment that they have in the cloud, but for `stand_ins`: on one machine BigQuery is the emulator, the
buckets of staged files and of the checkpoint are folders, Kafka is a broker without a login, Spark's master and
connector are the stack's, and batches and heartbeats are a second apart.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from google.cloud.run_v2 import types as run

from csat.bigquery.client import Warehouse
from csat.contract.polling import poll
from csat.contract.settings import ROOT, Settings, environment
from tests.dags import fake_cloud_run, fake_dataproc
from tests.dags.fake_dataproc import State
from tests.image import image_environment
from tests.storage_server import Store

BIN = ROOT / ".venv" / "bin"
_OF_DRIVER = "spark.dataproc.driverEnv."
_TTL = timedelta(hours=4)  # of a batch that asks for none


@dataclass
class Processes:
    """The processes, each in a folder of its own."""

    folder: Path
    stack: Settings
    store: Store
    started: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    @property
    def stand_ins(self) -> dict[str, str]:
        """What differs from the cloud's environment."""
        return {
            "CSAT_TARGET": "local",
            "CSAT_STATE_DIR": str(self.stack.state),
            "CSAT_BIGQUERY_ENDPOINT": self.stack.endpoint,
            "CSAT_CHECKPOINT_URI": str(self.folder / "checkpoint"),
            "CSAT_KAFKA_BOOTSTRAP_SERVERS": self.stack.bootstrap_servers,
            "CSAT_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
            "CSAT_KAFKA_OAUTH_SOURCE": "",
            "CSAT_TRIGGER_SECONDS": "1",
            "CSAT_HEARTBEAT_SECONDS": "1",
            **self.store.variables,
        }

    def start(self, command: Sequence[str], variables: Mapping[str, str], folder: Path) -> "subprocess.Popen[bytes]":
        """Start a program; its output is in `log`."""
        folder.mkdir(exist_ok=True)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**variables, **self.stand_ins},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def end(self) -> None:
        """Leave nothing behind."""
        for process in self.started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)


class Batches(fake_dataproc.Cloud):
    """Batches of which each is a driver."""

    def __init__(self, processes: Processes) -> None:
        super().__init__()
        self.processes = processes
        self._drivers: dict[str, subprocess.Popen[bytes]] = {}
        self._left: dict[str, timedelta] = {}  # of each batch's time to live

    def create(self, request: Any) -> Any:
        operation = super().create(request)
        name = f"{request.parent}/batches/{request.batch_id}"
        self._drivers[name] = self._start(request.batch, request.batch_id)
        self._left[name] = request.batch.environment_config.execution_config.ttl or _TTL
        running: Any = State.RUNNING
        self.batches[name].state = running
        return operation

    def _start(self, batch: Any, name: str) -> "subprocess.Popen[bytes]":
        folder = self.processes.folder / name
        folder.mkdir()
        (folder / "packages").symlink_to(ROOT)  # the archive is unpacked there
        job = batch.pyspark_batch
        (folder / "job.py").write_bytes(self.processes.store.objects[job.main_python_file_uri.removeprefix("gs://")])
        given = batch.runtime_config.properties
        variables = {key.removeprefix(_OF_DRIVER): given[key] for key in given if key.startswith(_OF_DRIVER)}
        of_machine = {key: value for key, value in environment().items() if not key.startswith(("CSAT_", "AIRFLOW"))}
        return self.processes.start(
            [str(BIN / "python"), "job.py", *job.args],
            {**of_machine, "PYSPARK_PYTHON": str(BIN / "python"), "SPARK_LOCAL_IP": "127.0.0.1", **variables},
            folder,
        )

    def states(self) -> list[State]:
        """The states of all batches."""
        for name, driver in self._drivers.items():
            if self.batches[name].state is State.RUNNING and driver.poll() is not None:
                ended: Any = State.FAILED if driver.returncode else State.SUCCEEDED
                self.batches[name].state = ended
        return [batch.state for batch in self.batches.values()]

    def let_pass(self, time: timedelta) -> None:
        """Make the batches so much older: Google ends one at its time to live, whatever it does.

        Google's documents do not name the state that it has then: CANCELLED is that of an end which Google makes.
        """
        for name in self._drivers:
            self._left[name] -= time
            if self.batches[name].state is State.RUNNING and self._left[name] <= timedelta():
                ended: Any = State.CANCELLED
                self.batches[name].state = ended
                os.killpg(self._drivers[name].pid, signal.SIGKILL)
                self._drivers[name].wait(30)

    def _record(self, call: str) -> None:
        self.states()
        super()._record(call)


class Job(fake_cloud_run.Cloud):
    """A job of which each execution is csat in the image's environment, with the job's variables."""

    def __init__(self, processes: Processes, variables: Mapping[str, str]) -> None:
        super().__init__()
        self._processes = processes
        self._of_job = variables
        self._runs: list[subprocess.Popen[bytes]] = []

    def run_job(self, request: run.RunJobRequest) -> Any:
        operation = super().run_job(request)
        command = [str(BIN / "csat"), *self.arguments[-1]]
        variables = {**image_environment(), **self._of_job, **self.variables}
        folder = self._processes.folder / f"run-{len(self._runs)}"
        self._runs.append(self._processes.start(command, variables, folder))
        return operation

    def log(self) -> str:
        """The output of the last execution."""
        return (self._processes.folder / f"run-{len(self._runs) - 1}" / "log").read_text()

    def get_execution(self, request: run.GetExecutionRequest) -> run.Execution:
        code = self._runs[-1].poll()
        end = {} if code is None else {"completion_time": datetime.now(UTC), "succeeded_count": int(code == 0)}
        return run.Execution(name=request.name, log_uri=fake_cloud_run.LOG, **end)


@dataclass
class Platform:
    """The cloud, what it stores, the stack whose broker and emulator it uses, and what was posted to the webhook."""

    batches: Batches
    store: Store
    stack: Settings
    job: Job
    posts: list[dict[str, Any]]

    def simulate(self, *arguments: str) -> None:
        """Send responses."""
        variables = environment(**self.stack.as_environment())
        subprocess.run([BIN / "csat", "simulate", *arguments], env=variables, check=True, timeout=120)

    def rows(self, role: Any, table: str, columns: str) -> list[dict[str, Any]]:
        """Rows of a table in BigQuery."""
        with Warehouse(self.stack) as warehouse:
            return warehouse.rows(f"select {columns} from `{self.stack.table(role, table)}`")

    def lands(self, count: int) -> bool:
        """Whether that many messages are in BigQuery in time, and each is one row."""
        columns = "count(*) as n, count(distinct kafka_offset * 100 + kafka_partition) as offsets"
        rows = [{"n": count, "offsets": count}]
        return poll(lambda: self.rows("raw", "survey_responses", columns) == rows, 240, 1)
