"""The console script as a process of its own, on a machine where nothing runs."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from csat.contract.settings import ROOT, Settings, environment, get_settings
from csat.local.ports import free_ports

CSAT = str(ROOT / ".venv" / "bin" / "csat")
Csat = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def own_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A machine of its own for calls in this process: an empty state folder, free ports, no .env."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CSAT_STATE_DIR", str(tmp_path / "state"))
    for name, port in free_ports().items():
        monkeypatch.setenv(f"CSAT_{name.upper()}", str(port))
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """An environment with an empty state folder, ports that refuse, and no setting of this machine."""
    own = {name: value for name, value in environment().items() if not name.startswith("CSAT_")}
    ports = {f"CSAT_{name.upper()}": str(port) for name, port in free_ports().items()}
    return {**own, **ports, "CSAT_STATE_DIR": str(tmp_path / "state")}


@pytest.fixture
def settings(variables: dict[str, str], tmp_path: Path) -> Settings:
    """The settings that the process has."""
    fields: dict[str, Any] = {
        name: variables[f"CSAT_{name.upper()}"] for name in Settings.model_fields if f"CSAT_{name.upper()}" in variables
    }
    return Settings(_env_file=None, **fields)


@pytest.fixture
def csat(variables: dict[str, str], tmp_path: Path) -> Csat:
    """Runs the console script to its end; keywords are more variables of its environment."""

    def call(*arguments: str, encoding: str = "utf-8", **changes: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [CSAT, *arguments],
            env={**variables, **changes},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding=encoding,
            timeout=120,
            check=False,
        )

    return call
