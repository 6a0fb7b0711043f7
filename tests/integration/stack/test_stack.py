"""Kafka and the emulator under supervisord, for real: start, start again, lose the supervisor, stop."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from kafka import KafkaAdminClient

from csat.bigquery.client import Warehouse
from csat.bigquery.landing_counts import landing_counts
from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.local import processes, stack, supervisord
from csat.local.ports import free_ports
from csat.local.supervisord import Supervisord
from csat.monitoring.completeness import check_completeness

pytestmark = pytest.mark.integration

PARTS = {"has_airflow": False, "has_dashboard": False}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A stack of this module's own, started."""
    settings = Settings(state_dir=tmp_path_factory.mktemp("stack"), _env_file=None, **free_ports())
    with stack.running(settings, print, **PARTS):
        yield settings


def up(settings: Settings) -> None:
    stack.up(settings, print, **PARTS)


def pids(settings: Settings) -> set[int]:
    return {process.pid for process in processes.of_stack(settings.state)}


def test_up_creates_the_topic_with_four_partitions(settings: Settings) -> None:
    admin = KafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    [topic] = admin.describe_topics(["messages"])
    admin.close()
    assert len(topic["partitions"]) == 4


def test_up_creates_the_landing_table(settings: Settings) -> None:
    with Warehouse(settings) as warehouse:
        assert landing_counts(warehouse) == {"rows": 0, "accepted": 0, "rejected": 0}
        assert len(check_completeness(warehouse).partitions) == 4


def test_up_again_leaves_what_runs_alone(settings: Settings) -> None:
    before = pids(settings)
    up(settings)
    assert pids(settings) == before


def test_up_starts_what_is_missing(settings: Settings) -> None:
    supervisor = Supervisord(settings)
    before = supervisor.programs()
    supervisor.stop("kafka")
    up(settings)
    after = supervisor.programs()
    assert after["kafka"]["pid"] != before["kafka"]["pid"]
    assert after["bigquery"]["pid"] == before["bigquery"]["pid"]


def test_up_refuses_a_port_of_another(settings: Settings, tmp_path: Path) -> None:
    other = settings.model_copy(update={"state_dir": tmp_path})
    with pytest.raises(CsatError, match=f"CSAT_KAFKA_PORT={settings.kafka_port} is taken by java"):
        up(other)


def test_up_replaces_what_a_killed_supervisord_left(settings: Settings) -> None:
    lost = pids(settings)
    running = supervisord.process(settings)
    assert running is not None
    running.send_signal(signal.SIGKILL)
    psutil.wait_procs([running], timeout=10)
    up(settings)
    assert not pids(settings) & lost
    assert Supervisord(settings).programs()["kafka"]["statename"] == "RUNNING"


def test_down_leaves_no_process_and_frees_the_ports(settings: Settings) -> None:
    stack.down(settings, print)
    assert pids(settings) == set()
    for port in (settings.kafka_port, settings.bigquery_port, settings.supervisord_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
    stack.down(settings, print)  # twice is harmless
