"""One look at the pipeline: facts, checks, a row for each, alerts, and a restart of the stream where one would help."""

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from csat.alerts import ALERTS, AlertKey, Severity
from csat.documents import DocumentError, Documents
from csat.settings import Settings
from csat.watch import OpenAlert, Watch
from warehouse.alerts import Alerts, Decision
from warehouse.client import Warehouse, WarehouseError
from warehouse.facts import Limits
from warehouse.health_checks import Grade, Result, is_healthy, look_at, recovered, token_to_restart
from warehouse.health_facts import collect
from warehouse.tables import append_rows

logger = logging.getLogger(__name__)

TABLE = "pipeline_health_checks"


@dataclass(frozen=True)
class Look:
    """What one look found and did."""

    look_id: str
    looked_at: datetime
    results: list[Result]
    open_alerts: tuple[OpenAlert, ...]
    has_asked_to_restart: bool

    @property
    def is_healthy(self) -> bool:
        """Whether no check is bad."""
        return is_healthy(self.results)

    def as_dict(self) -> dict[str, Any]:
        """The look as JSON values."""
        return {
            "look_id": self.look_id,
            "looked_at": self.looked_at.isoformat(),
            "is_healthy": self.is_healthy,
            "has_asked_to_restart": self.has_asked_to_restart,
            "checks": [result.as_dict() for result in self.results],
            "open_alerts": [alert.model_dump(mode="json") for alert in self.open_alerts],
        }


def look(settings: Settings, now: datetime | None = None) -> Look:
    """Look at all of the pipeline once. What cannot be asked is a bad result, never an error."""
    now = now or datetime.now(UTC)
    alerts, limits = Alerts(settings, lambda: now), Limits.of(settings)
    before = alerts.watch()
    collected = collect(settings, before, now)
    results = look_at(collected.facts, limits)
    token = token_to_restart(collected.facts, limits)
    is_due = is_restart_due(before, token)
    alerts.change(*decisions(alerts, results, recovered(results, collected.facts)))
    has_asked = is_due and _ask_to_restart(settings, token, now)
    watch = alerts.remember(
        lambda watch: watch.model_copy(
            update={
                "looked_at": now,
                "searched_at": collected.searched_at,
                "bad_token": token,
                "recycled_token": token if has_asked else watch.recycled_token,
            }
        )
    )
    done = Look(uuid.uuid4().hex, now, results, watch.open_alerts, has_asked)
    if not any(result.alert is AlertKey.BIGQUERY_UNREACHABLE for result in results):
        alerts.record()
        _record(settings, done)
    return done


def is_restart_due(before: Watch, token: str) -> bool:
    """Whether this is the second bad look at one life of the stream in a row, and no look has asked for its end."""
    return token != "" and before.bad_token == token and before.recycled_token != token


def decisions(alerts: Alerts, results: list[Result], over: set[AlertKey]) -> list[Decision]:
    """What the look means for the alerts: each key that a check raised is raised once, what is over ends."""
    raised: dict[AlertKey, list[Result]] = {}
    for result in results:
        if result.alert:
            raised.setdefault(result.alert, []).append(result)
    opening = [alerts.raising(_worst(found), key, _text(found)) for key, found in raised.items()]
    return opening + [alerts.ending(key, f"no longer: {ALERTS[key].meaning}") for key in sorted(over)]


def _worst(found: list[Result]) -> Severity:
    return Severity.CRITICAL if any(result.grade is Grade.CRITICAL for result in found) else Severity.WARNING


def _text(found: list[Result]) -> str:
    return "; ".join(dict.fromkeys(result.detail for result in found))


def _ask_to_restart(settings: Settings, token: str, now: datetime) -> bool:
    documents = Documents(settings.documents)
    try:
        control = documents.control()
        if control is None or control.token != token or control.desired == "stop":
            return False  # the guard was quicker
        reason = "recycle: check_stream_health found this life in need of it twice"
        documents.write_control(control.model_copy(update={"desired": "stop", "reason": reason, "at": now}))
    except (DocumentError, OSError) as error:
        logger.warning("Cannot ask for a restart of the stream: %s", error)
        return False
    logger.warning("Asked for a restart of the stream: the last two looks found it in need of one")
    return True


def _record(settings: Settings, done: Look) -> None:
    rows = [
        {"look_id": done.look_id, "looked_at": done.looked_at.isoformat(), **result.as_dict()}
        for result in done.results
    ]
    try:
        with Warehouse(settings) as warehouse:
            append_rows(warehouse, TABLE, rows)
    except WarehouseError as error:
        logger.warning("The look has no rows in %s: %s", TABLE, error)
