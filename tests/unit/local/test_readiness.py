"""Waiting for a program of supervisord."""

from collections.abc import Callable
from typing import Any

import pytest

from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.local import readiness


class ExitsBetweenTheChecks:
    """A supervisord whose program exits after the first check."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def programs(self) -> dict[str, dict[str, Any]]:
        return {"airflow-migrate": {"statename": "EXITED"}}


def test_a_program_that_exited_cleanly_between_two_checks_is_ready(
    monkeypatch: pytest.MonkeyPatch, make_settings: Callable[..., Settings]
) -> None:
    monkeypatch.setattr(readiness, "Supervisord", ExitsBetweenTheChecks)
    found = iter([False, True])
    readiness.wait_until(make_settings(), "airflow-migrate", lambda: next(found), 0, ("EXITED",))


def test_a_program_that_failed_is_an_error(
    monkeypatch: pytest.MonkeyPatch, make_settings: Callable[..., Settings]
) -> None:
    monkeypatch.setattr(readiness, "Supervisord", ExitsBetweenTheChecks)
    with pytest.raises(CsatError, match="has stopped"):
        readiness.wait_until(make_settings(), "airflow-migrate", lambda: False, 1, ("EXITED",))


def test_a_program_that_is_not_ready_in_time_is_an_error_with_the_end_of_its_log(
    monkeypatch: pytest.MonkeyPatch, make_settings: Callable[..., Settings]
) -> None:
    monkeypatch.setattr(readiness, "Supervisord", ExitsBetweenTheChecks)
    settings = make_settings()
    (settings.state / "logs").mkdir(parents=True)
    (settings.state / "logs" / "airflow-migrate.log").write_text("no space left\n")
    with pytest.raises(CsatError, match="airflow-migrate is not ready after 0 s, fix: read ") as raised:
        readiness.wait_until(settings, "airflow-migrate", lambda: False, 0)
    assert raised.value.fix.endswith("airflow-migrate.log, which ends with:\n  no space left")
