"""The containers of docker-compose.yaml as processes of this machine: same commands, same environment.

Ports are mapped to free ones of 127.0.0.1 and paths into a folder. Each container has its own state folder with its
volumes, including those of the secrets, and nothing else: what a container is not given, it lacks.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from csat.contract.settings import ROOT
from csat.local import processes
from csat.local.java import find_java
from csat.local.ports import free_port
from tests.compose_model import image_variables, rendered, target_of

_STATE, _SOURCES = "/var/lib/csat", "/opt/csat"
_PORTS = (19092, 9092, 9093, 9050, 9060, 5432, 8080, 8090, 9001)  # where containers listen
_END_SECONDS = 20
_EVERY_ADDRESS = "0.0.0.0"  # noqa: S104  # never listened on
_HOSTS = "kafka|postgres|bigquery-emulator|spark|api-server|dashboard|0\\.0\\.0\\.0|127\\.0\\.0\\.1"


class Containers:
    """The model of the compose file, and the processes started from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._model = rendered("local")
        self.services: dict[str, Any] = self._model["services"]
        self.ports = {port: free_port() for port in _PORTS}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._java_home = find_java().parent.parent
        (folder / "home").mkdir()
        self.dags = folder / "dags"  # tests/e2e covers the others
        self.dags.mkdir()
        for name in ("run_stream.py", "check_stream_health.py"):
            shutil.copy(ROOT / "dags" / name, self.dags)

    def variables(self, name: str) -> dict[str, str]:
        """The environment of a container: its image's, then its own."""
        service = self.services[name]
        target = target_of(self._model, name)
        image = image_variables(target) if target else {"PATH": "/usr/bin:/bin"}
        own = {key: "" if value is None else str(value) for key, value in service.get("environment", {}).items()}
        (self.folder / "tmp" / name).mkdir(parents=True, exist_ok=True)
        given = {key: self._here(name, value) for key, value in {**image, **own}.items()}
        if "AIRFLOW__API__HOST" in given:
            given["AIRFLOW__CORE__DAGS_FOLDER"] = str(self.dags)
        return given | {"TMPDIR": str(self.folder / "tmp" / name)}

    def state(self, name: str) -> Path:
        """What the container has at /var/lib/csat: its volumes."""
        state = self.folder / "state" / name
        if state.exists():
            return state
        state.mkdir(parents=True)
        for volume in self.services[name].get("volumes", []):
            if volume["target"].startswith(_STATE):
                place = state / Path(volume["target"]).relative_to(_STATE)
                place.parent.mkdir(exist_ok=True)
                place.symlink_to(self.volume(volume["source"]))
        return state

    def volume(self, name: str) -> Path:
        """The folder of a volume."""
        folder = self.folder / "volumes" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def secret(self, name: str) -> str:
        """A secret's value."""
        return (self.volume("secrets") / name).read_text()

    def log(self, name: str) -> Path:
        """The log of a container."""
        return self.folder / f"{name}.log"

    def start(self, name: str) -> None:
        """Start a container's command."""
        self.start_process(name, [self._here(name, word) for word in self.services[name]["command"]])

    def start_process(self, name: str, command: list[str], **options: Any) -> None:
        """Start the process that represents a container."""
        variables = {**(options.pop("env", None) or self.variables(name)), processes.MARK: str(self.folder)}
        program = shutil.which(command[0], path=variables["PATH"])
        assert program, f"{command[0]} is not on the image's PATH"
        with self.log(name).open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [program, *command[1:]],
                **{"cwd": ROOT, "env": variables, "stdout": log, "stderr": log, "start_new_session": True, **options},
            )

    def wait(self, name: str, seconds: float = 120) -> None:
        """Return when a container has completed its work; fails the test if it failed."""
        code = self._processes[name].wait(seconds)
        assert code == 0, f"{name} ended with {code}:\n{self.tail(name)}"

    def is_healthy(self, name: str) -> bool:
        """Whether the container runs and passes its own health check."""
        assert self._processes[name].poll() is None, f"{name} has ended:\n{self.tail(name)}"
        _, *command = [self._here(name, word) for word in self.services[name]["healthcheck"]["test"]]
        variables = self.variables(name)
        program = str(shutil.which(command[0], path=variables["PATH"]))
        return (
            subprocess.run(
                [program, *command[1:]], cwd=ROOT, env=variables, capture_output=True, timeout=60, check=False
            ).returncode
            == 0
        )

    def stop(self, *names: str) -> list[int]:
        """What Docker does: SIGTERM to the first process of each, and SIGKILL to all of it after its grace.

        Returns the exit codes.
        """
        for name in names:
            self._processes[name].terminate()
        return [self._end_of(name) for name in names]

    def _end_of(self, name: str) -> int:
        process = self._processes[name]
        try:
            return process.wait(_seconds(self.services[name]["stop_grace_period"]))
        except subprocess.TimeoutExpired:
            print(f"{name} was killed after its grace:\n{self.tail(name)}")
            os.killpg(process.pid, signal.SIGKILL)
            return process.wait(_END_SECONDS)

    def end(self) -> None:
        """End every process."""
        processes.end_all(self.folder, _END_SECONDS)

    def tail(self, name: str) -> str:
        """The end of a container's log."""
        return self.log(name).read_text(errors="replace")[-3000:]

    def strays(self) -> list[Path]:
        """Files that containers wrote where the real ones have a read-only file system."""
        return [path for path in (self.folder / "state").rglob("*") if path.is_file() and not path.is_symlink()]

    def _here(self, name: str, text: str) -> str:
        text = re.sub(rf"\b({_HOSTS}):(\d+)", lambda found: f"127.0.0.1:{self.ports[int(found[2])]}", text)
        if text.isdigit() and int(text) in self.ports:
            return str(self.ports[int(text)])
        if text == _EVERY_ADDRESS:
            return "127.0.0.1"
        places: Mapping[str, Path] = {
            _STATE: self.state(name),
            _SOURCES: ROOT,
            "/home/csat": self.folder / "home",
            "/opt/java/openjdk": self._java_home,
            "/var/lib/kafka": self.folder / "kafka",
        }
        for inside, outside in places.items():
            text = text.replace(inside, str(outside))
        return text


def _seconds(text: str) -> float:
    minutes, _, seconds = text.rpartition("m")
    return 60 * int(minutes or 0) + int(seconds.removesuffix("s"))
