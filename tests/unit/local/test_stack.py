"""A stack for a while: whatever ends the while, the stack is ended."""

import signal
from pathlib import Path
from typing import Any

import pytest

from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.local import kafka, stack, supervisord


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


def test_a_restart_stops_before_it_starts_the_parts_that_are_wanted(calls: list[str], settings: Settings) -> None:
    stack.restart(settings, print, has_dashboard=False)
    assert calls == ["down", "up {'has_dashboard': False}"]


def test_a_restart_stops_nothing_where_it_could_start_nothing(calls: list[str], settings: Settings) -> None:
    with pytest.raises(CsatError, match="CSAT_TARGET=gcp has no local stack"):
        stack.restart(settings.model_copy(update={"target": "gcp"}), print)
    assert calls == []


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
        raise CsatError("no")

    monkeypatch.setattr(stack, "up", fail)
    with pytest.raises(CsatError, match="no"), stack.running(settings, print):
        pass
    assert calls == ["down"]


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A supervisord that is launched without a process."""
    monkeypatch.setattr(kafka, "prepare", lambda _: None)
    monkeypatch.setattr(supervisord, "launch", lambda _: None)
    monkeypatch.setattr(stack, "_POLL_SECONDS", 0)


@pytest.mark.usefixtures("launched")
def test_the_stack_waits_until_supervisord_responds(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    processes, found = iter([None, object(), object()]), iter([False, True])
    monkeypatch.setattr(supervisord, "process", lambda _: next(processes))
    monkeypatch.setattr(stack, "_is_responding", lambda _: next(found))
    stack._start_supervisord(settings, print)
    assert list(processes) == list(found) == []


@pytest.mark.usefixtures("launched")
def test_a_supervisord_that_does_not_respond_is_an_error_that_names_its_log(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisord, "process", lambda _: None)
    monkeypatch.setattr(stack, "_SUPERVISORD_SECONDS", 0)
    with pytest.raises(CsatError, match=r"supervisord does not respond, fix: read .*supervisord\.log"):
        stack._start_supervisord(settings, print)
