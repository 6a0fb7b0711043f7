"""A stack's settings in a folder of the test's own; nothing is started."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from csat.contract.settings import Settings
from csat.local import ports


@pytest.fixture
def make_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Makes settings that no .env and no variable of this machine has a say in."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CSAT_{name.upper()}", raising=False)
    # The command lines need no jars and no Java to be looked at
    monkeypatch.setattr("csat.local.programs.kafka.command", lambda settings: ["java", "kafka.Kafka"])

    def make(**fields: Any) -> Settings:
        return Settings(_env_file=None, **{"state_dir": tmp_path / "state", **fields})

    return make


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Gives a port on which nothing listens."""

    return ports.free_port
