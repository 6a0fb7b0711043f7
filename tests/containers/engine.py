"""A Docker Engine with a project of its own: the containers of docker-compose.yaml as a clean clone makes them."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from csat.bigquery.client import Warehouse
from csat.contract.settings import ROOT, DatasetRole, Settings, environment
from csat.local.ports import free_port
from tests.documents import tracked_files

OLDEST_ENGINE, OLDEST_COMPOSE = (25, 0), (2, 24)
PUBLISHED = ("kafka", "bigquery", "airflow", "dashboard")  # what has a port of this machine
ONCE = {"secrets", "prepare", "airflow-init"}


def require_engine() -> None:
    """Fail if no Docker Engine responds, or it or Compose is too old; the message names what is missing."""
    if shutil.which("docker") is None:
        pytest.fail("docker is missing: install Docker's command line with the plugins compose and buildx")
    engine = _said("docker", "version", "--format", "{{.Server.Version}}")
    if engine is None:
        host = environment().get("DOCKER_HOST") or "its default socket"
        pytest.fail(f"no Docker Engine responds at {host}: start one, or set DOCKER_HOST to one")
    compose = _said("docker", "compose", "version", "--short")
    if compose is None:
        pytest.fail("docker has no compose: install the plugin docker-compose")
    for name, said, oldest in (("Docker Engine", engine, OLDEST_ENGINE), ("Docker Compose", compose, OLDEST_COMPOSE)):
        if _version(said) < oldest:
            pytest.fail(f"{name} {said} is too old: {'.'.join(map(str, oldest))} or newer is needed")


def _said(*command: str) -> str | None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() if done.returncode == 0 and done.stdout.strip() else None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text)[:2])


@dataclass
class Project:
    """The running project. `figures` are what the tests measured, by name."""

    clone: Path
    name: str
    ports: dict[str, int]
    figures: dict[str, Any] = field(default_factory=dict)

    def docker(self, *arguments: str, seconds: float = 600, is_ok: bool = True) -> subprocess.CompletedProcess[str]:
        """Call docker in the clone; fails the test at an exit code other than 0 unless `is_ok` is False."""
        ports = {f"CSAT_{name.upper()}_PORT": str(port) for name, port in self.ports.items()}
        done = subprocess.run(
            ["docker", *arguments],
            cwd=self.clone,
            env=_bare_environment(COMPOSE_PROJECT_NAME=self.name, **ports),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if is_ok and done.returncode != 0:
            said = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            pytest.fail(f"docker {' '.join(arguments)} exited with {done.returncode}:\n{said}")
        return done

    def compose(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Call docker compose."""
        return self.docker("compose", *arguments, **options)

    def csat(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as the documents say it."""
        return self.compose("run", "--rm", "csat", *arguments, **options)

    def json(self, *arguments: str, **options: Any) -> Any:
        """The JSON document that a command prints."""
        return json.loads(self.csat(*arguments, "--json", **options).stdout)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Keep the seconds that this takes as a figure."""
        began = time.monotonic()
        yield
        self.figures[name] = round(time.monotonic() - began, 1)

    def services(self) -> list[str]:
        """The services of the default profile."""
        return sorted(self.compose("config", "--services").stdout.split())

    def containers(self) -> dict[str, dict[str, Any]]:
        """What the engine knows of each service's container."""
        ids = self.compose("ps", "--all", "--quiet").stdout.split()
        found = json.loads(self.docker("inspect", *ids).stdout)
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    def unhealthy(self) -> dict[str, str]:
        """The services that are not as they should be: healthy, or ended with 0 where they make something once."""
        states = {name: _state(one["State"]) for name, one in self.containers().items()}
        return {name: state for name, state in states.items() if state != ("exited 0" if name in ONCE else "healthy")}

    def settings(self, folder: Path) -> Settings:
        """How this machine reaches BigQuery and Airflow of the containers; the secrets are copied into the folder."""
        (folder / "secrets").mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("bigquery_token", "airflow_passwords.json"):
            said = self.compose("exec", "-T", "api-server", "cat", f"/var/lib/csat/secrets/{name}").stdout
            (folder / "secrets" / name).write_text(said)
        ports: dict[str, Any] = {f"{name}_port": port for name, port in self.ports.items()}
        return Settings(_env_file=None, state_dir=folder, **ports)

    def rows(self, settings: Settings, sql: str) -> list[dict[str, Any]]:
        """Rows of a query; {raw}, {marts} and {ops} stand for the datasets."""
        roles: tuple[DatasetRole, ...] = ("raw", "marts", "ops")
        names: dict[str, str] = {role: f"{settings.project_id}.{settings.dataset(role)}" for role in roles}
        with Warehouse(settings) as warehouse:
            return warehouse.rows(sql.format(**names))


def _state(state: dict[str, Any]) -> str:
    if state["Status"] != "running":
        return f"{state['Status']} {state['ExitCode']}"
    return str(state.get("Health", {}).get("Status", "running"))


def _bare_environment(**variables: str) -> dict[str, str]:
    """What a user has who has Docker alone."""
    kept = {name: value for name, value in environment().items() if name in {"PATH", "HOME"} or "DOCKER" in name}
    return kept | variables


@contextmanager
def project(folder: Path) -> Iterator[Project]:
    """A project with a clone and ports of its own; its containers, volumes and networks are deleted at the end."""
    require_engine()
    clone = folder / "clone"
    for path in tracked_files():
        (clone / path.parent).mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, clone / path)
    made = Project(clone, f"csat-test-{free_port()}", {name: free_port() for name in PUBLISHED})
    try:
        yield made
    finally:
        for name, figure in made.figures.items():
            print(f"{name}: {figure}")
        made.compose("--profile", "*", "down", "--volumes", "--remove-orphans", is_ok=False)
