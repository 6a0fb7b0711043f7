"""The trigger and its operator, as Airflow uses them."""

import asyncio
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, TaskDeferred
from airflow.triggers.base import TriggerEvent

from csat.airflow.operator import StreamGuardOperator
from csat.airflow.stream import Stream
from csat.airflow.trigger import StreamHealthTrigger
from csat.contract.settings import Settings, get_settings
from csat.contract.version import code_version
from csat.control.state_files import StateFiles
from csat.control.verdict import Verdict

NOON = "2026-03-01T12:00:00+00:00"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings with state files in the test's folder and no supervisord."""
    monkeypatch.setenv("CSAT_STATE_DIR", str(tmp_path))
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()


def events(trigger: StreamHealthTrigger) -> list[TriggerEvent]:
    async def collect() -> list[TriggerEvent]:
        return [event async for event in trigger.run()]

    return asyncio.run(asyncio.wait_for(collect(), 20))


def test_a_trigger_recreated_from_its_serialization_is_the_same() -> None:
    path, arguments = StreamHealthTrigger("new", "old", NOON).serialize()
    module, name = path.rsplit(".", 1)
    again = getattr(import_module(module), name)(**arguments)
    assert path == "csat.airflow.trigger.StreamHealthTrigger"
    assert (again.token, again.replaces, again.start_at) == ("new", "old", NOON)
    assert again.serialize() == (path, arguments)


def test_a_trigger_fires_once_with_the_verdict_and_its_detail(settings: Settings) -> None:
    (event,) = events(StreamHealthTrigger("new", "", NOON))
    assert (event.payload["verdict"], event.payload["token"]) == ("never_started", "new")
    assert event.payload["detail"].endswith("csat up writes it")


def test_a_killed_trigger_requests_its_driver_to_stop(settings: Settings, make_desired_state: Any) -> None:
    state_files = StateFiles(settings.state_files)
    state_files.write_desired_state(make_desired_state(token="new"))
    asyncio.run(asyncio.wait_for(StreamHealthTrigger("new", "", NOON).on_kill(), 20))
    desired_state = state_files.desired_state()
    assert desired_state is not None
    assert (desired_state.token, desired_state.desired) == ("new", "stop")


def test_a_run_is_judged_by_the_code_installed_when_it_starts(settings: Settings) -> None:
    version = code_version()
    assert Stream.of(settings).policy.code_version == version
    assert len(version) == 12


def test_the_operator_defers_with_a_new_token_that_replaces_the_last(
    settings: Settings, make_desired_state: Any
) -> None:
    StateFiles(settings.state_files).write_desired_state(make_desired_state(token="old"))
    with pytest.raises(TaskDeferred) as deferred:
        StreamGuardOperator(task_id="guard_stream").execute({})
    trigger = deferred.value.trigger
    assert isinstance(trigger, StreamHealthTrigger)
    assert (trigger.replaces, len(trigger.token)) == ("old", 32)
    assert (deferred.value.method_name, deferred.value.timeout) == ("finish", None)


@pytest.mark.parametrize("verdict", ["stopped", "superseded", "memory", "recycle"])
def test_a_clean_end_is_green(settings: Settings, verdict: str) -> None:
    event = {"verdict": verdict, "detail": "as it should"}
    assert StreamGuardOperator(task_id="guard_stream").finish({}, event) == event


@pytest.mark.parametrize("verdict", ["never_started", "dead_or_frozen", "failed", "stalled"])
def test_a_failed_run_is_red_and_says_why(settings: Settings, verdict: str) -> None:
    assert Verdict(verdict)
    with pytest.raises(AirflowException, match=r"the cause.*next run starts a new driver"):
        StreamGuardOperator(task_id="guard_stream").finish({}, {"verdict": verdict, "detail": "the cause"})
