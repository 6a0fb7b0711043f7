"""A real broker and a real emulator, started once on free ports, and a world of its own for each test."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

from csat.bigquery.client import Warehouse
from csat.bigquery.tables import create_datasets, create_landing_table
from csat.contract.settings import ROOT, Settings, environment
from csat.local import stack
from csat.local.ports import free_ports

_world_numbers = itertools.count(1)
# The environment of the drivers: another one tests another Spark
DRIVER_PYTHON = str(Path(os.environ.get("DRIVER_PYTHON", sys.executable)).absolute())


def wait_for(condition: Callable[[], Any], seconds: float, what: str, pause: float = 0.2) -> Any:
    """The condition's value once it is true, asked at every pause. Fails the test after the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(pause)
    pytest.fail(f"no {what} within {seconds} s")


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings of a running broker and emulator."""
    settings = Settings(state_dir=tmp_path_factory.mktemp("state"), _env_file=None, **free_ports())
    with stack.running(settings, print, has_airflow=False, has_dashboard=False):
        yield settings


@dataclass
class World:
    """One test's topic, datasets, checkpoint and documents, on the shared services."""

    settings: Settings
    warehouse: Warehouse
    python: str = DRIVER_PYTHON

    def send(self, *messages: bytes, partition: int = 0, timestamp_ms: int | None = None) -> None:
        """Put messages into one partition of the topic, with the time of now or another."""
        producer = KafkaProducer(bootstrap_servers=self.settings.bootstrap_servers)
        for message in messages:
            producer.send(self.settings.kafka_topic, message, partition=partition, timestamp_ms=timestamp_ms)
        producer.flush(timeout=30)
        producer.close()

    def start_driver(self, *arguments: str, program: tuple[str, ...] = ("-m", "spark.stream_responses")) -> "Driver":
        """Start a driver; it is ended with the test."""
        return Driver(self.settings, [self.python, *program, *arguments])

    def rows(self, columns: str, where: str = "true") -> list[dict[str, Any]]:
        """Landing rows by place."""
        table = self.settings.table("raw", "survey_responses")
        return self.warehouse.rows(
            f"select {columns} from `{table}` where {where} order by kafka_partition, kafka_offset"
        )

    def offsets(self) -> list[int]:
        """Offsets of all landing rows of partition 0, twice where they landed twice."""
        return [row["kafka_offset"] for row in self.rows("kafka_partition, kafka_offset")]


class Driver:
    """A driver's process group, by the code in a folder. It works among its logs: Spark 4.0 leaves folders there."""

    def __init__(self, settings: Settings, command: list[str], code: Path = ROOT) -> None:
        self.log = settings.state / "logs" / f"driver-{time.monotonic_ns()}.log"
        variables = {"PYSPARK_PYTHON": command[0], "SPARK_LOCAL_IP": "127.0.0.1", "PYTHONPATH": str(code)}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                env=environment(**settings.as_environment(), **variables),
                cwd=self.log.parent,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def exit_code(self, seconds: float = 180) -> int:
        """The code it left with."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the driver did not leave; its log ends:\n{self.log.read_text()[-3000:]}")

    def kill(self, signal_number: int = signal.SIGKILL) -> None:
        """Signal the driver and its JVM."""
        os.killpg(self.process.pid, signal_number)

    def end(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)


@pytest.fixture
def world(services: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An empty world. Drivers started in it are killed at the end."""
    number = next(_world_numbers)
    settings = services.model_copy(
        update={
            "kafka_topic": f"messages-{number}",
            "dataset_prefix": f"csat{number}",
            "state_files_uri": str(tmp_path / "documents"),
            "checkpoint_uri": str(tmp_path / "checkpoint"),
            "trigger_seconds": 1,
            "heartbeat_seconds": 1,
        }
    )
    admin = KafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    admin.create_topics([NewTopic(name=settings.kafka_topic, num_partitions=2, replication_factor=1)])
    admin.close()
    drivers: list[Driver] = []
    start = World.start_driver

    def start_and_remember(self: World, *arguments: str, **options: Any) -> Driver:
        drivers.append(start(self, *arguments, **options))
        return drivers[-1]

    monkeypatch.setattr(World, "start_driver", start_and_remember)
    with Warehouse(settings) as warehouse:
        create_datasets(warehouse)
        create_landing_table(warehouse)
        yield World(settings, warehouse)
    for driver in drivers:
        driver.end()
