"""What one look does with what it found: rows, alerts, and a restart of the stream."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from csat.alerts import AlertKey
from csat.documents import Documents
from csat.health import Control
from csat.settings import Settings
from csat.watch import Watch
from tests.unit.warehouse.conftest import NOON, ago, stream
from warehouse import alert_delivery, health_look
from warehouse.facts import Facts, Missing
from warehouse.health_facts import Collected
from warehouse.health_look import Look, is_restart_due

Make = Callable[..., Facts]
FROZEN = stream(at=ago(600))


class Pipeline:
    """A pipeline whose facts a test sets; looks at it, and keeps the rows."""

    def __init__(self, folder: Path, facts: Facts) -> None:
        self.settings = Settings(state_dir=folder, _env_file=None)
        self.documents = Documents(self.settings.documents)
        self.facts = facts
        self.rows: dict[str, list[dict[str, Any]]] = {"alerts": [], "pipeline_health_checks": []}
        self.now = NOON

    def look(self, **changes: Any) -> Look:
        """A look five minutes after the last one, at facts with changes."""
        self.facts = replace(self.facts, **changes)
        self.now += timedelta(minutes=5)
        return health_look.look(self.settings, self.now)

    def control(self, **changes: Any) -> Control:
        """Write, or read, the control document."""
        if changes:
            self.documents.write_control(Control.model_validate({"reason": "", "at": NOON} | changes))
        control = self.documents.control()
        assert control is not None
        return control


@pytest.fixture
def pipeline(tmp_path: Path, make_facts: Make, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    made = Pipeline(tmp_path, make_facts())

    def collect(settings: Settings, watch: Watch, now: datetime) -> Collected:
        return Collected(made.facts, ago(7))

    def append(warehouse: Any, table: str, rows: list[dict[str, Any]]) -> None:
        made.rows[table].extend(rows)

    monkeypatch.setattr(health_look, "collect", collect)
    monkeypatch.setattr(health_look, "append_rows", append)
    monkeypatch.setattr(alert_delivery, "append_rows", append)
    return made


def test_a_look_writes_a_row_for_each_check_with_the_tables_columns(pipeline: Pipeline) -> None:
    done = pipeline.look()
    assert done.is_healthy
    rows = pipeline.rows["pipeline_health_checks"]
    assert [row["check"] for row in rows][:2] == ["stream_beat", "stream_verdict"]
    assert {(row["look_id"], row["looked_at"]) for row in rows} == {(done.look_id, "2026-11-20T12:05:00+00:00")}
    schema = json.loads(Path("warehouse/schemas/pipeline_health_checks.json").read_text())
    assert {name for row in rows for name in row} == {field["name"] for field in schema}
    assert pipeline.rows["alerts"] == []


def test_a_look_remembers_when_it_was_and_when_it_searched(pipeline: Pipeline) -> None:
    pipeline.look()
    watch = pipeline.documents.watch()
    assert (watch.looked_at, watch.searched_at) == (pipeline.now, ago(7))


def test_a_bad_look_opens_one_alert_a_key_and_a_good_one_ends_it(pipeline: Pipeline) -> None:
    done = pipeline.look(stream=FROZEN)
    assert not done.is_healthy
    assert [alert.key for alert in done.open_alerts] == ["stream_down"]
    pipeline.look()
    assert pipeline.look(stream=stream()).open_alerts == ()
    assert [(row["alert_key"], row["status"], row["text"]) for row in pipeline.rows["alerts"]] == [
        ("stream_down", "opened", "last beat 10 min ago, running; dead_or_frozen"),
        ("stream_down", "recovered", "no longer: The stream is dead, frozen, failed or stalled."),
    ]


def test_a_look_without_bigquery_alerts_and_its_alerts_rows_follow(pipeline: Pipeline) -> None:
    dead = Missing("BigQuery does not answer", AlertKey.BIGQUERY_UNREACHABLE)
    well = pipeline.facts
    done = pipeline.look(landing=dead, marts=dead)
    assert [alert.key for alert in done.open_alerts] == ["bigquery_unreachable"]
    assert pipeline.rows == {"alerts": [], "pipeline_health_checks": []}
    assert pipeline.look(landing=well.landing, marts=well.marts).open_alerts == ()
    assert [row["status"] for row in pipeline.rows["alerts"]] == ["opened", "recovered"]


def test_the_second_bad_look_at_one_life_asks_for_its_end(pipeline: Pipeline) -> None:
    pipeline.control(token="t1", desired="run")
    assert not pipeline.look(stream=FROZEN).has_asked_to_restart
    assert pipeline.control().desired == "run"
    assert pipeline.look().has_asked_to_restart
    asked = pipeline.control()
    assert (asked.token, asked.desired, asked.at) == ("t1", "stop", pipeline.now)
    assert asked.reason == "recycle: check_stream_health found this life in need of it twice"


def test_no_life_is_asked_twice(pipeline: Pipeline) -> None:
    pipeline.control(token="t1", desired="run")
    assert [pipeline.look(stream=FROZEN).has_asked_to_restart for _ in range(2)] == [False, True]
    pipeline.control(token="t1", desired="run")  # as if the order were lost
    assert [pipeline.look().has_asked_to_restart for _ in range(3)] == [False, False, False]
    assert pipeline.control().desired == "run"


def test_a_good_look_between_two_bad_ones_asks_for_nothing(pipeline: Pipeline) -> None:
    pipeline.control(token="t1", desired="run")
    looks = [pipeline.look(stream=facts) for facts in (FROZEN, stream(), FROZEN)]
    assert not any(look.has_asked_to_restart for look in looks)


def test_a_look_leaves_a_life_alone_that_the_guard_has_replaced_meanwhile(pipeline: Pipeline) -> None:
    pipeline.look(stream=FROZEN)
    pipeline.control(token="t2", desired="run")
    assert not pipeline.look().has_asked_to_restart
    assert (pipeline.control().token, pipeline.control().desired) == ("t2", "run")


def test_what_a_restart_does_not_mend_asks_for_none(pipeline: Pipeline) -> None:
    pipeline.control(token="t1", desired="run")
    assert not any(pipeline.look(stream=stream(slow_batches=10)).has_asked_to_restart for _ in range(3))


@pytest.mark.parametrize(
    ("before", "token", "is_due"),
    [
        (Watch(bad_token="t1"), "t1", True),
        (Watch(bad_token="t1"), "t2", False),
        (Watch(), "t1", False),
        (Watch(), "", False),
        (Watch(bad_token="t1", recycled_token="t1"), "t1", False),
        (Watch(bad_token="t2", recycled_token="t1"), "t2", True),
    ],
)
def test_a_restart_is_due_at_the_second_bad_look_at_a_life(before: Watch, token: str, is_due: bool) -> None:
    assert is_restart_due(before, token) is is_due
