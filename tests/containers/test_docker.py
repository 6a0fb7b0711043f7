"""The containers on a real Docker Engine, from start to removal: `make test-containers`."""

import json
import re
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from csat.bigquery.client import Warehouse
from csat.contract.settings import Settings
from tests.airflow_builds import held_builds
from tests.containers.engine import ONCE, Project
from tests.documents import read
from tests.integration.conftest import wait_for
from tests.integration.marts import recount
from tests.integration.marts.checks import assert_same
from tests.integration.marts.conftest import Marts

pytestmark = pytest.mark.containers

LARGEST_GB = {"emulator": 0.7, "pipeline": 1.0, "spark": 1.0, "airflow": 1.6}  # on top of the base image
BASE = re.compile(r"^FROM (python:\S+) AS base$", re.MULTILINE)
RECOVERY_SECONDS = 90
KILL_THE_DRIVER = """
import os, psutil, signal
[driver] = [
    one.pid
    for one in psutil.process_iter(["cmdline"])  # those that end meanwhile are left out
    if "spark.stream_responses" in (one.info["cmdline"] or [])
]
os.kill(driver, signal.SIGKILL)
"""
WEBHOOK = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        print(self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
        self.send_response(204)
        self.end_headers()
http.server.HTTPServer(("", 8000), Handler).serve_forever()
"""


def healthy_status(containers: Project) -> Any:
    """What `csat status` says once it exits with 0."""

    def ask() -> Any:
        done = containers.csat("status", "--json", is_ok=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    return wait_for(ask, 180, "healthy status", pause=1)


def all_healthy(containers: Project) -> None:
    wait_for(lambda: not containers.unhealthy(), 180, "all healthy containers", pause=1)


@contextmanager
def stopped(containers: Project, service: str) -> Iterator[None]:
    """The service is stopped while it is open."""
    containers.compose("stop", service)
    try:
        yield
    finally:
        containers.compose("start", service)


def test_up_returns_when_every_container_is_healthy(containers: Project) -> None:
    assert containers.unhealthy() == {}
    assert set(containers.containers()) == set(containers.services())
    assert containers.figures["up, seconds"] <= 180


def test_csat_status_exits_with_0_and_finds_each_component_healthy(containers: Project) -> None:
    status = healthy_status(containers)
    assert {name: part["state"] for name, part in status["components"].items() if part["state"] != "healthy"} == {}
    assert len(status["components"]) == 8


def test_images_are_small_and_each_is_built_once(containers: Project) -> None:
    [base] = BASE.findall((containers.clone / "docker" / "Dockerfile").read_text())
    sizes = {
        image: int(containers.docker("image", "inspect", "--format", "{{.Size}}", image).stdout)
        for image in (base, *(f"csat/{name}:0.1.0" for name in LARGEST_GB))
    }
    above = {name: round((sizes[f"csat/{name}:0.1.0"] - sizes[base]) / 1e9, 2) for name in LARGEST_GB}
    containers.figures["images on top of the base, GB"] = above
    assert {name: size for name, size in above.items() if size > LARGEST_GB[name]} == {}
    ours = [one for one in containers.containers().values() if one["Config"]["Image"].startswith("csat/")]
    assert len({one["Image"] for one in ours}) == len(LARGEST_GB)


def test_no_process_is_root_or_has_a_capability(containers: Project) -> None:
    for name, one in containers.containers().items():
        if name not in ONCE:
            # Not by docker top, which asks for a ps beside the engine; a process may end meanwhile
            read_all = ("exec", one["Id"], "sh", "-c", "cat /proc/[0-9]*/status 2> /dev/null || true")
            status = containers.docker(*read_all).stdout
            users = re.findall(r"^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$", status, re.MULTILINE)
            capabilities = re.findall(r"^Cap\w+:\t([0-9a-f]+)$", status, re.MULTILINE)
            assert len(users) >= 3, name  # init, the program, and what looks at them
            assert "0" not in {user for four in users for user in four}, name
            assert {int(held, 16) for held in capabilities} == {0}, name


def test_file_systems_are_read_only_except_the_brokers(containers: Project) -> None:
    for name in set(containers.services()) - ONCE:
        tried = containers.compose("exec", "-T", name, "sh", "-c", "touch /usr/x /opt/x", is_ok=False)
        assert tried.returncode != 0, name
        assert ("Read-only file system" in tried.stderr) == (name != "kafka"), (name, tried.stderr)


def test_secrets_are_in_files_of_mode_0600_and_in_no_environment(containers: Project) -> None:
    folder = "/var/lib/csat/secrets"
    modes = containers.compose("exec", "-T", "api-server", "sh", "-c", f"stat -c '%a %u' {folder}/*").stdout
    assert set(modes.splitlines()) == {"600 10001"}
    read_each = f"for file in {folder}/*; do cat $file; echo; done"
    texts = containers.compose("exec", "-T", "api-server", "sh", "-c", read_each).stdout
    values = set(re.findall(r"[\w=-]{16,}", texts))
    assert len(values) >= 7
    known = json.dumps(containers.containers())
    assert [value for value in values if value in known] == []


def test_the_documented_command_prints_airflows_password(containers: Project, settings: Settings) -> None:
    [password] = containers.csat("password").stdout.split()
    passwords = json.loads((settings.state / "secrets" / "airflow_passwords.json").read_text())
    assert passwords == {"admin": password}


@pytest.mark.timeout(1800)  # the recount alone takes minutes
def test_thirty_days_of_history_land_and_the_marts_equal_a_recount(containers: Project, settings: Settings) -> None:
    with stopped(containers, "producer"), held_builds(settings):  # what lands meanwhile would not be in the marts
        with containers.timed("30 days sent and landed, seconds"):
            sent = containers.json("simulate", "--days", "30", seconds=300)
            assert sent["sent"] > 80_000
            wait_for(lambda: containers.json("check", "completeness")["pending"] == 0, 300, "all rows landed", pause=1)
        with containers.timed("marts of 30 days, seconds"):
            assert containers.json("marts", "build", seconds=400)["status"] == "succeeded"
        landed = containers.rows(settings, "select * from `{raw}.survey_responses`")
        assert len(landed) >= sent["sent"]
        containers.figures["responses landed"] = len(landed)
        with Warehouse(settings) as warehouse:
            for table, expected in recount.MARTS.items():
                assert_same(Marts(settings, warehouse), table, expected(landed))


def test_the_stream_reports_how_much_memory_it_holds(containers: Project) -> None:
    read_heartbeat = ("exec", "-T", "spark", "cat", "/var/lib/csat/stream/heartbeat.json")
    wait_for(lambda: json.loads(containers.compose(*read_heartbeat).stdout)["memory_bytes"] > 0, 60, "memory", pause=2)


def test_documented_commands_work(containers: Project) -> None:
    """Those of docs/containers.md that look at something; the others are what these tests do."""
    _, blocks = read(Path("docs/containers.md"))
    lines = [line.partition(" #")[0].strip() for block in blocks for line in block.text.splitlines()]
    commands = [line for line in lines if line.startswith("docker compose run --rm csat")]
    assert len(commands) >= 5
    for command in commands:
        if "simulate" not in command:
            assert containers.docker(*shlex.split(command)[1:]).stdout.strip(), command


def test_commands_for_the_one_machine_stack_name_the_alternative(containers: Project) -> None:
    for command in ("up", "down", "doctor", "demo"):
        done = containers.csat(command, is_ok=False)
        assert (done.returncode, "docker compose" in done.stderr) == (1, True), done.stderr
    assert containers.unhealthy() == {}


def test_settings_of_env_reach_the_containers(containers: Project) -> None:
    (containers.clone / ".env").write_text("CSAT_MAX_AGE_HOURS=23\nCSAT_STATE_DIR=/nowhere\n")
    show = "from csat.contract.settings import get_settings as s; print(s().max_age_hours, s().state)"
    said = containers.compose("run", "--rm", "--entrypoint", "python", "csat", "-c", show).stdout
    (containers.clone / ".env").unlink()
    assert said.split() == ["23.0", "/var/lib/csat"]


def test_an_alert_of_a_task_reaches_a_webhook_outside(containers: Project) -> None:
    name = f"{containers.name}-webhook"
    network = f"{containers.name}_edge"
    containers.docker(
        "run", "--detach", "--name", name, "--network", network, "csat/pipeline:0.1.0", "python", "-c", WEBHOOK
    )
    call = (
        "exec",
        "-T",
        "-e",
        f"CSAT_ALERT_WEBHOOK_URL=http://{name}:8000",
        "scheduler",
        "/opt/csat/.venv/bin/csat",
        "alerts",
    )
    try:
        containers.compose(*call, "raise", "disk_space_low", "a test of the webhook")
        containers.compose(*call, "resolve", "disk_space_low", "the test is over")
        said = containers.docker("logs", name).stdout
    finally:
        containers.docker("rm", "--force", name)
    assert "a test of the webhook" in said
    assert "the test is over" in said


def test_a_killed_driver_recovers_and_commits(containers: Project, settings: Settings) -> None:
    token = healthy_status(containers)["stream"]["token"]
    containers.compose("exec", "-T", "spark", "python", "-c", KILL_THE_DRIVER)
    killed_at = time.monotonic()

    def is_committing() -> bool:
        said = containers.compose("exec", "-T", "spark", "cat", "/var/lib/csat/stream/heartbeat.json").stdout
        heartbeat = json.loads(said)
        return bool(heartbeat["token"] != token and heartbeat["rows_committed"] > 0)

    wait_for(is_committing, RECOVERY_SECONDS, "committing driver", pause=0.5)
    containers.figures["killed driver committing again, seconds"] = round(time.monotonic() - killed_at, 1)


def is_healthy(containers: Project, name: str) -> bool:
    return name not in containers.unhealthy()


def test_each_container_can_be_restarted(containers: Project) -> None:
    for name in sorted(set(containers.services()) - ONCE):
        with containers.timed(f"{name} restarted and healthy, seconds"):
            containers.compose("restart", name)
            wait_for(partial(is_healthy, containers, name), 180, f"healthy {name}", pause=0.5)
    all_healthy(containers)
    healthy_status(containers)


def test_down_and_up_keep_all_data(containers: Project, settings: Settings) -> None:
    password = containers.csat("password").stdout
    before = healthy_status(containers)
    containers.compose("down")
    assert containers.compose("ps", "--all", "--quiet").stdout == ""
    with containers.timed("up again, seconds"):
        containers.compose("up", "--detach", "--wait", seconds=600)
    after = healthy_status(containers)
    assert after["landing"]["rows"] >= before["landing"]["rows"] > 80_000
    assert after["marts"]["built_at"] >= before["marts"]["built_at"]
    assert containers.csat("password").stdout == password


def test_nothing_is_lost_or_duplicated(containers: Project) -> None:
    containers.compose("stop", "producer")
    wait_for(lambda: containers.json("check", "completeness")["pending"] == 0, 120, "all rows landed", pause=1)
    result = containers.json("check", "completeness")
    containers.figures["lost, doubled"] = (result["lost"], result["duplicated"])
    assert (result["lost"], result["duplicated"]) == (0, 0)
    assert sum(part["rows"] for part in result["partitions"]) > 80_000
