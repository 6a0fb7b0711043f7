"""The trigger and its operator, as Airflow uses them."""

import asyncio
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, TaskDeferred
from airflow.triggers.base import TriggerEvent

from csat.documents import Documents
from csat.health import Verdict
from csat.settings import Settings, get_settings
from csat.version import code_version
from guard.operator import StreamGuardOperator
from guard.stream import Stream
from guard.trigger import StreamHealthTrigger

NOON = "2026-03-01T12:00:00+00:00"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings whose documents are in the test's folder, with no supervisord to be found."""
    monkeypatch.setenv("CSAT_STATE_DIR", str(tmp_path))
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()


def events(trigger: StreamHealthTrigger) -> list[TriggerEvent]:
    async def collect() -> list[TriggerEvent]:
        return [event async for event in trigger.run()]

    return asyncio.run(asyncio.wait_for(collect(), 20))


def test_a_trigger_made_from_what_it_serializes_is_the_same() -> None:
    path, arguments = StreamHealthTrigger("new", "old", NOON).serialize()
    module, name = path.rsplit(".", 1)
    again = getattr(import_module(module), name)(**arguments)
    assert path == "guard.trigger.StreamHealthTrigger"
    assert (again.token, again.replaces, again.start_at) == ("new", "old", NOON)
    assert again.serialize() == (path, arguments)


def test_a_trigger_fires_once_with_the_verdict_and_its_detail(settings: Settings) -> None:
    (event,) = events(StreamHealthTrigger("new", "", NOON))
    assert (event.payload["verdict"], event.payload["token"]) == ("never_started", "new")
    assert event.payload["detail"].endswith("csat up writes it")


def test_a_killed_trigger_tells_its_driver_to_stop(settings: Settings, make_control: Any) -> None:
    documents = Documents(settings.documents)
    documents.write_control(make_control(token="new"))
    asyncio.run(asyncio.wait_for(StreamHealthTrigger("new", "", NOON).on_kill(), 20))
    control = documents.control()
    assert control is not None
    assert (control.token, control.desired) == ("new", "stop")


def test_a_life_is_judged_by_the_code_that_is_there_when_it_begins(settings: Settings) -> None:
    version = code_version()
    assert Stream.of(settings).policy.code_version == version
    assert len(version) == 12


def test_the_operator_defers_with_a_new_token_in_the_place_of_the_last(settings: Settings, make_control: Any) -> None:
    Documents(settings.documents).write_control(make_control(token="old"))
    with pytest.raises(TaskDeferred) as deferred:
        StreamGuardOperator(task_id="guard_stream").execute({})
    trigger = deferred.value.trigger
    assert isinstance(trigger, StreamHealthTrigger)
    assert (trigger.replaces, len(trigger.token)) == ("old", 32)
    assert (deferred.value.method_name, deferred.value.timeout) == ("finish", None)


@pytest.mark.parametrize("verdict", ["stopped", "superseded", "memory", "recycle"])
def test_a_life_that_ended_in_good_order_is_green(settings: Settings, verdict: str) -> None:
    event = {"verdict": verdict, "detail": "as it should"}
    assert StreamGuardOperator(task_id="guard_stream").finish({}, event) == event


@pytest.mark.parametrize("verdict", ["never_started", "dead_or_frozen", "failed", "stalled"])
def test_a_life_that_ended_badly_is_red_and_says_why(settings: Settings, verdict: str) -> None:
    assert Verdict(verdict)
    with pytest.raises(AirflowException, match=r"the cause.*next run starts a new driver"):
        StreamGuardOperator(task_id="guard_stream").finish({}, {"verdict": verdict, "detail": "the cause"})
