"""The assets before and behind the marts: the trigger that sees rows land, and the task that tells of a build."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.sdk import Asset, AssetWatcher, BaseOperator
from airflow.sdk.exceptions import AirflowSkipException
from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from csat.documents import DocumentError, Documents
from csat.health import Health
from csat.settings import get_settings

_POLL_SECONDS = 2
_TOLD = ("status", "build_id", "built_at", "touched_dates", "response_count")
_CHANGED = {"succeeded", "partial", "repaired"}
Seen = tuple[str, int]  # token and rows committed: the count begins at 0 with every driver


class RowsCommittedTrigger(BaseEventTrigger):
    """Fires {"rows", "batch_id"} when the stream has committed rows, at most once in `every_seconds`.

    The build takes all rows up to now, so an event too many costs little and one too few is the fault. Hence what was
    seen is not kept over a triggerer's restart, and a new driver counts as rows: the last one may have left some. 0
    seconds: as the settings say.
    """

    def __init__(self, every_seconds: float = 0) -> None:
        super().__init__()
        self.every_seconds = every_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, from which any triggerer can make this trigger."""
        return f"{type(self).__module__}.{type(self).__name__}", {"every_seconds": self.every_seconds}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Fire again and again, for ever."""
        every = self.every_seconds or get_settings().marts_every
        seen, fired_at = None, -every
        while True:
            health = await asyncio.to_thread(_health)
            if health and has_landed(health, seen) and time.monotonic() - fired_at >= every:
                rows = new_rows(health, seen)
                seen, fired_at = (health.token, health.rows_committed), time.monotonic()
                yield TriggerEvent({"rows": rows, "batch_id": health.batch_id})
            await asyncio.sleep(min(_POLL_SECONDS, every))


def has_landed(health: Health, seen: Seen | None) -> bool:
    """Whether rows may have landed since `seen`."""
    return health.rows_committed > 0 if seen is None else (health.token, health.rows_committed) != seen


def new_rows(health: Health, seen: Seen | None) -> int:
    """Rows that are known to have landed since `seen`."""
    return health.rows_committed - (seen[1] if seen and seen[0] == health.token else 0)


def _health() -> Health | None:
    try:
        return Documents(get_settings().documents).health()
    except DocumentError:
        return None  # the guard reports it


SURVEY_RESPONSES_LANDED = Asset(
    name="survey_responses_landed",
    uri="x-csat://raw/survey_responses",
    watchers=[AssetWatcher(name="rows_committed", trigger=RowsCommittedTrigger())],
)
MARTS = [
    Asset(name=name, uri=f"x-csat://marts/{name}")
    for name in ("agent_leaderboard", "category_ranking", "response_series")
]


class PublishMartsOperator(BaseOperator):
    """Emits an event of every mart, with what the task `built_by` reported; skipped where that changed nothing.

    A task of its own: it does not run when a model or a test failed, so nobody is told of marts that are in doubt.
    """

    def __init__(self, *, built_by: str, **kwargs: Any) -> None:
        super().__init__(outlets=MARTS, **kwargs)
        self.built_by = built_by

    def execute(self, context: Any) -> None:
        """Put the report into the events."""
        built = context["ti"].xcom_pull(task_ids=self.built_by)
        if built["status"] not in _CHANGED:
            raise AirflowSkipException(f"nothing to publish: {built['status']}")
        report = {name: built.get(name) for name in _TOLD}
        for mart in MARTS:
            context["outlet_events"][mart].extra = report
