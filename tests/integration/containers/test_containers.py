"""The containers work together: Airflow on PostgreSQL runs the stream in another container, by their own settings."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from csat.bigquery.client import Warehouse
from csat.bigquery.landing_counts import landing_counts
from csat.contract.settings import ROOT, Settings
from tests.integration.conftest import wait_for
from tests.integration.containers.native import Containers

LASTING = (
    "bigquery-emulator",
    "spark",
    "producer",
    "dashboard",
    "api-server",
    "scheduler",
    "dag-processor",
    "triggerer",
)


def test_airflow_starts_the_stream_in_its_container_and_responses_land(containers: Containers) -> None:
    endpoint = f"http://127.0.0.1:{containers.ports[9050]}"
    given = containers.state("dashboard")  # the emulator's token is in its secrets
    with Warehouse(Settings(_env_file=None, bigquery_endpoint=endpoint, state_dir=given)) as warehouse:
        wait_for(lambda: landing_counts(warehouse)["accepted"] > 5, 240, "landed responses", pause=1)
    assert document(containers, "desired_state")["reason"] == "started by Airflow"


def test_a_task_of_airflow_calls_a_command_of_the_pipeline(containers: Containers) -> None:
    alert_state = containers.volume("stream") / "alert_state.json"
    wait_for(alert_state.exists, 120, "run of check_stream_health", pause=1)


def test_every_health_check_finds_its_container_healthy(containers: Containers) -> None:
    for name in LASTING:
        wait_for(partial(containers.is_healthy, name), 60, f"healthy {name}", pause=1)


def test_a_stopped_container_lets_the_stream_complete_its_batch(containers: Containers) -> None:
    containers.stop("producer", "dashboard", "triggerer", "scheduler")  # as Compose: what waits for spark goes first
    assert containers.stop("spark") == [0]
    assert document(containers, "desired_state")["reason"] == "the stack stops"
    assert document(containers, "heartbeat")["state"] == "stopped"


def test_nothing_is_written_outside_the_volumes(containers: Containers) -> None:
    assert containers.strays() == []
    started = (containers.folder / "home").stat().st_mtime
    image = [path for folder in ("csat", "dags", "dbt", "spark") for path in (ROOT / folder).rglob("*")]
    assert [path for path in image if is_written(path, started)] == []


def is_written(path: Path, since: float) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and path.stat().st_mtime > since


def document(containers: Containers, name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((containers.volume("stream") / f"{name}.json").read_text())
    return read
