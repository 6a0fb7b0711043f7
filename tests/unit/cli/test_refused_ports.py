"""A command that needs a server ends at once where the server's port refuses connections."""

import json
import socket
import time
from pathlib import Path

import pytest

from csat.clients.listening import RefusedError, Server, require_listening
from csat.contract.settings import Settings
from tests.unit.cli.conftest import Csat

MOST_SECONDS = 3  # beside those that Python itself takes to start, which are many on a busy machine
BIGQUERY, KAFKA = "BigQuery refuses connections at ", "Kafka refuses connections at "
NEEDS = {
    "check completeness": KAFKA,
    "rejected count": BIGQUERY,
    "rejected list": BIGQUERY,
    "rejected show 0 1": BIGQUERY,
    "rejected replay": KAFKA,
    "marts build": BIGQUERY,
    "marts rebuild": BIGQUERY,
    "marts publish": BIGQUERY,
    "marts reconcile": BIGQUERY,
    "marts freshness": BIGQUERY,
    "marts show agents": BIGQUERY,
    "marts show categories": BIGQUERY,
    "marts show series": BIGQUERY,
    "stream adopt-topic": KAFKA,
    "stream show-loss": KAFKA,
    "stream accept-loss --reason none": KAFKA,
    "maintain emulator-jobs": BIGQUERY,
    "maintain scratch": BIGQUERY,
    "migrate-landing": BIGQUERY,
    "erase --case 5f2f0e6c-9c63-4b62-8a0f-0d2f3a4b5c6d --yes": BIGQUERY,
    "simulate --events 5": KAFKA,
    "open dashboard": "the dashboard refuses connections at ",
    "open airflow": "Airflow refuses connections at ",
}


def test_a_command_names_what_refuses_its_address_and_the_fix(csat: Csat, settings: Settings) -> None:
    began = time.monotonic()
    csat("--version")
    start_seconds = time.monotonic() - began
    addresses = {KAFKA: settings.bootstrap_servers, BIGQUERY: settings.endpoint}
    for command, refusal in NEEDS.items():
        began = time.monotonic()
        done = csat(*command.split())
        seconds = time.monotonic() - began - start_seconds
        assert done.returncode == 1, command
        assert done.stdout == "", command
        assert done.stderr.startswith(f"error: {refusal}{addresses.get(refusal, '')}"), (command, done.stderr)
        assert ", fix: start the stack with `csat up`, or correct CSAT_" in done.stderr
        assert done.stderr.count("\n") == 1, command
        assert seconds <= MOST_SECONDS + start_seconds, command


@pytest.mark.parametrize("command", ["status", "check health --dry-run", "alerts raise poison_batch x"])
def test_a_command_that_goes_on_without_its_servers_does_not_wait_for_them(csat: Csat, command: str) -> None:
    began = time.monotonic()
    csat("--version")
    start_seconds = time.monotonic() - began
    began = time.monotonic()
    csat(*command.split())
    # The clients of Kafka and BigQuery take as long to import as the rest, and longer where others compute
    assert time.monotonic() - began <= MOST_SECONDS + 5 * start_seconds


@pytest.fixture
def settings_of(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, state_dir=tmp_path)


def test_an_address_that_accepts_is_enough(settings_of: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        servers = settings_of.model_copy(update={"kafka_bootstrap_servers": f"127.0.0.1:9, 127.0.0.1:{port}"})
        require_listening(servers, Server.KAFKA)
    with pytest.raises(RefusedError, match=rf"127\.0\.0\.1:9, 127\.0\.0\.1:{port}, fix: "):
        require_listening(servers, Server.KAFKA)


def test_an_address_without_a_name_is_left_to_the_client(settings_of: Settings) -> None:
    require_listening(settings_of.model_copy(update={"airflow_url": "https://no-such-host.invalid"}), Server.AIRFLOW)


def test_googles_bigquery_is_not_probed(settings_of: Settings) -> None:
    require_listening(settings_of.model_copy(update={"target": "gcp"}), Server.BIGQUERY)


def test_an_error_is_an_object_on_stdout_where_json_is_asked_for(csat: Csat, settings: Settings) -> None:
    done = csat("rejected", "count", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "message": f"BigQuery refuses connections at http://127.0.0.1:{settings.bigquery_port}",
        "fix": "start the stack with `csat up`, or correct CSAT_BIGQUERY_ENDPOINT",
    }
    assert done.stderr.startswith("error: BigQuery refuses")


def test_a_wrong_option_is_an_object_too(csat: Csat) -> None:
    done = csat("status", "--json", "--often")
    assert done.returncode == 2
    document = json.loads(done.stdout)
    assert "--often" in document["message"]
    assert document["fix"] == "csat status --help"
