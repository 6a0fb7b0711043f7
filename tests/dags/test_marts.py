"""The trigger for landed rows, the task that publishes a build, and the approval before it."""

import asyncio
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.standard.operators import hitl
from airflow.sdk.exceptions import AirflowSkipException, TaskAwaitingInput

from csat.airflow.approval import ApprovalUnlessOperator
from csat.airflow.marts import (
    MARTS,
    SURVEY_RESPONSES_LANDED,
    PublishMartsOperator,
    RowsCommittedTrigger,
    has_landed,
    new_rows,
)
from csat.contract.settings import get_settings
from csat.control.state_files import StateFiles
from csat.control.verdict import Heartbeat

Make = Callable[..., Heartbeat]


@pytest.mark.parametrize(
    ("seen", "token", "rows", "landed", "count"),
    [
        (None, "a", 0, False, 0),
        (None, "a", 30, True, 30),
        (("a", 30), "a", 30, False, 0),
        (("a", 30), "a", 31, True, 1),
        (("a", 30), "b", 0, True, 0),
        (("a", 30), "b", 30, True, 30),
    ],
    ids=["nothing yet", "first poll", "as before", "one more", "a new driver", "a new driver with as many rows"],
)
def test_rows_have_landed_when_the_count_or_the_driver_changed(
    make_heartbeat: Make, seen: tuple[str, int] | None, token: str, rows: int, landed: bool, count: int
) -> None:
    heartbeat = make_heartbeat(token=token, rows_committed=rows)
    assert (has_landed(heartbeat, seen), new_rows(heartbeat, seen)) == (landed, count)


def test_the_trigger_fires_for_rows_and_then_only_for_more(
    make_heartbeat: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CSAT_STATE_DIR", str(tmp_path))
    get_settings.cache_clear()
    state_files = StateFiles(get_settings().state_files)
    state_files.write_heartbeat(make_heartbeat(rows_committed=30, batch_id=3))

    async def take_two() -> list[Any]:
        events = RowsCommittedTrigger(every_seconds=0.01).run()
        first = await anext(events)
        second = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.2)
        assert not second.done()
        state_files.write_heartbeat(make_heartbeat(rows_committed=70, batch_id=4))
        return [first.payload, (await second).payload]

    payloads = asyncio.run(asyncio.wait_for(take_two(), 20))
    get_settings.cache_clear()
    assert payloads == [{"rows": 30, "batch_id": 3}, {"rows": 40, "batch_id": 4}]


def test_the_trigger_can_be_recreated_from_its_serialization() -> None:
    path, arguments = RowsCommittedTrigger(every_seconds=7).serialize()
    module, name = path.rsplit(".", 1)
    assert path == "csat.airflow.marts.RowsCommittedTrigger"
    assert getattr(import_module(module), name)(**arguments).every_seconds == 7


def test_the_asset_of_landed_rows_is_watched() -> None:
    (watcher,) = SURVEY_RESPONSES_LANDED.watchers
    assert (SURVEY_RESPONSES_LANDED.name, SURVEY_RESPONSES_LANDED.uri) == (
        "survey_responses_landed",
        "x-csat://raw/survey_responses",
    )
    assert isinstance(watcher.trigger, RowsCommittedTrigger)


class FakeTask:
    """A task instance with the report of another one."""

    def __init__(self, report: dict[str, Any]) -> None:
        self.report = report

    def xcom_pull(self, *, task_ids: str) -> dict[str, Any]:
        assert task_ids == "build_marts"
        return self.report


def publish(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The extra of every event, by mart."""
    operator = PublishMartsOperator(task_id="publish_marts", built_by="build_marts")
    events = {mart: SimpleNamespace(extra={}) for mart in MARTS}
    operator.execute({"ti": FakeTask(report), "outlet_events": events})
    return {mart.name: event.extra for mart, event in events.items()}


def test_published_events_contain_the_build_report() -> None:
    built = {"status": "succeeded", "build_id": "b1", "built_at": "2026-11-20T10:00:00+00:00", "response_count": 7}
    extra = publish(built | {"touched_dates": ["2026-11-20"], "model_count": 12})
    assert set(extra) == {"agent_leaderboard", "category_ranking", "response_series"}
    assert extra["category_ranking"] == built | {"touched_dates": ["2026-11-20"]}


@pytest.mark.parametrize("status", ["nothing new", "agreed", "nothing built"])
def test_nothing_is_published_where_nothing_changed(status: str) -> None:
    with pytest.raises(AirflowSkipException, match=f"nothing to publish: {status}"):
        publish({"status": status})


@pytest.mark.parametrize("status", ["partial", "repaired"])
def test_a_rebuild_and_a_repair_are_published(status: str) -> None:
    assert publish({"status": status})["response_series"]["status"] == status


def approval() -> ApprovalUnlessOperator:
    return ApprovalUnlessOperator(task_id="approve", unless="from", subject="Sure?")


def test_no_approval_is_requested_when_the_parameter_is_set() -> None:
    assert approval().execute({"params": {"from": "2026-11-20"}}) is None


def test_an_approval_is_requested_when_the_parameter_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **details: asked.update(details))
    with pytest.raises(TaskAwaitingInput):
        approval().execute({"params": {"from": ""}, "task_instance": SimpleNamespace(id="t1")})
    assert (asked["ti_id"], asked["subject"], asked["options"]) == ("t1", "Sure?", ["Approve", "Reject"])
