"""A stack for a while: whatever ends the while, the stack is ended."""

import signal
from pathlib import Path
from typing import Any

import pytest

from csat.contract.settings import Settings
from csat.local import stack


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls that start and stop the stack."""
    calls: list[str] = []
    monkeypatch.setattr(stack, "up", lambda _, __, **parts: calls.append(f"up {parts}"))
    monkeypatch.setattr(stack, "down", lambda *_: calls.append("down"))
    return calls


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path, _env_file=None)


def test_a_stack_runs_as_long_as_it_is_wanted(calls: list[str], settings: Settings) -> None:
    with stack.running(settings, print, has_airflow=False):
        assert calls == ["up {'has_airflow': False}"]
    assert calls == ["up {'has_airflow': False}", "down"]


def test_sigterm_ends_the_stack_too(calls: list[str], settings: Settings) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit, match="SIGTERM"), stack.running(settings, print):
        signal.raise_signal(signal.SIGTERM)
    assert calls == ["up {}", "down"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_could_not_be_started_whole_is_ended(
    calls: list[str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise stack.StackError("no")

    monkeypatch.setattr(stack, "up", fail)
    with pytest.raises(stack.StackError), stack.running(settings, print):
        pass
    assert calls == ["down"]
