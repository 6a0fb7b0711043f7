"""Waiting for a program of supervisord."""

from collections.abc import Callable
from typing import Any

import pytest

from csat.contract.settings import Settings
from csat.local import readiness


class EndsBetweenTheQuestions:
    """A supervisord whose program ends after the first question whether it is ready."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def programs(self) -> dict[str, dict[str, Any]]:
        return {"airflow-migrate": {"statename": "EXITED"}}


def test_a_program_that_ended_well_between_two_questions_is_ready(
    monkeypatch: pytest.MonkeyPatch, make_settings: Callable[..., Settings]
) -> None:
    monkeypatch.setattr(readiness, "Supervisord", EndsBetweenTheQuestions)
    found = iter([False, True, True])
    readiness.wait_until(make_settings(), "airflow-migrate", lambda: next(found), 1, ("EXITED",))


def test_a_program_that_gave_up_is_an_error(
    monkeypatch: pytest.MonkeyPatch, make_settings: Callable[..., Settings]
) -> None:
    monkeypatch.setattr(readiness, "Supervisord", EndsBetweenTheQuestions)
    with pytest.raises(readiness.NotReadyError, match="has stopped"):
        readiness.wait_until(make_settings(), "airflow-migrate", lambda: False, 1, ("EXITED",))
