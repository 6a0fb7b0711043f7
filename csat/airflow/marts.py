"""The assets up- and downstream of the marts: the trigger for landed rows, and the task that publishes a build."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from airflow.sdk import Asset, AssetWatcher, BaseOperator
from airflow.sdk.exceptions import AirflowSkipException
from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from csat.contract.settings import get_settings
from csat.control.state_files import StateFileError, StateFiles
from csat.control.verdict import Heartbeat

_POLL_SECONDS = 2
_REPORTED = ("status", "build_id", "built_at", "touched_dates", "response_count")
_CHANGED = {"succeeded", "partial", "repaired"}
Seen = tuple[str, int]  # token and rows committed: the count begins at 0 with every driver


class RowsCommittedTrigger(BaseEventTrigger):
    """Fires {"rows", "batch_id"} when the stream has committed rows, at most once in `every_seconds`.

    A build takes all rows up to now, so an extra event costs little, but a missing one is an error. Therefore a
    restarted triggerer forgets what it has seen, and a new driver counts as new rows: the last one may have left some.
    0 seconds means the interval of the settings.
    """

    def __init__(self, every_seconds: float = 0) -> None:
        super().__init__()
        self.every_seconds = every_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, from which any triggerer can recreate this trigger."""
        return f"{type(self).__module__}.{type(self).__name__}", {"every_seconds": self.every_seconds}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Fire for as long as the triggerer runs."""
        every = self.every_seconds or get_settings().marts_every
        seen, fired_at = None, -every
        while True:
            heartbeat = await asyncio.to_thread(_heartbeat)
            if heartbeat and has_landed(heartbeat, seen) and time.monotonic() - fired_at >= every:
                rows = new_rows(heartbeat, seen)
                seen, fired_at = (heartbeat.token, heartbeat.rows_committed), time.monotonic()
                yield TriggerEvent({"rows": rows, "batch_id": heartbeat.batch_id})
            await asyncio.sleep(min(_POLL_SECONDS, every))


def has_landed(heartbeat: Heartbeat, seen: Seen | None) -> bool:
    """Whether rows may have landed since `seen`."""
    return heartbeat.rows_committed > 0 if seen is None else (heartbeat.token, heartbeat.rows_committed) != seen


def new_rows(heartbeat: Heartbeat, seen: Seen | None) -> int:
    """Rows known to have landed since `seen`."""
    return heartbeat.rows_committed - (seen[1] if seen and seen[0] == heartbeat.token else 0)


def _heartbeat() -> Heartbeat | None:
    try:
        return StateFiles(get_settings().state_files).heartbeat()
    except StateFileError:
        return None  # the guard reports it


SURVEY_RESPONSES_LANDED = Asset(
    name="survey_responses_landed",
    uri="x-csat://raw/survey_responses",
    watchers=[AssetWatcher(name="rows_committed", trigger=RowsCommittedTrigger())],
)
# From dbt's models, by `make generated`: Airflow has no dbt
_PUBLISHED = json.loads(Path(__file__).with_name("published_marts.json").read_text())
MARTS = [Asset(name=name, uri=f"x-csat://marts/{name}") for name in _PUBLISHED]


class PublishMartsOperator(BaseOperator):
    """Emits an event for every mart with the report of the task `built_by`; skipped if that changed nothing.

    It is a separate task so that it does not run if a model or a test failed: nobody is notified of doubtful marts.
    """

    def __init__(self, *, built_by: str, **kwargs: Any) -> None:
        super().__init__(outlets=MARTS, **kwargs)
        self.built_by = built_by

    def execute(self, context: Any) -> None:
        """Add the report to the events."""
        built = context["ti"].xcom_pull(task_ids=self.built_by)
        if built["status"] not in _CHANGED:
            raise AirflowSkipException(f"nothing to publish: {built['status']}")
        report = {name: built.get(name) for name in _REPORTED}
        for mart in MARTS:
            context["outlet_events"][mart].extra = report
