"""One health check run: facts, checks, a row for each, alerts, and a restart of the stream where one would help."""

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from csat.bigquery.client import Warehouse, WarehouseError
from csat.bigquery.tables import append_rows
from csat.contract.alerts import ALERTS, AlertKey, Severity
from csat.contract.settings import Settings
from csat.control.open_alerts import AlertState, OpenAlert
from csat.control.state_files import StateFileError, StateFiles
from csat.monitoring.alerts import Alerts, Decision
from csat.monitoring.checks import Grade, Result, is_healthy, resolved_alerts, run_checks, token_to_restart
from csat.monitoring.collect import collect
from csat.monitoring.facts import Limits

logger = logging.getLogger(__name__)

TABLE = "pipeline_health_checks"


@dataclass(frozen=True)
class HealthCheck:
    """What one health check run found and did."""

    check_id: str
    checked_at: datetime
    results: list[Result]
    open_alerts: tuple[OpenAlert, ...]
    has_requested_restart: bool

    @property
    def is_healthy(self) -> bool:
        """Whether no check failed."""
        return is_healthy(self.results)

    def as_dict(self) -> dict[str, Any]:
        """The run as JSON values."""
        return {
            "check_id": self.check_id,
            "checked_at": self.checked_at.isoformat(),
            "is_healthy": self.is_healthy,
            "has_requested_restart": self.has_requested_restart,
            "checks": [result.as_dict() for result in self.results],
            "open_alerts": [alert.model_dump(mode="json") for alert in self.open_alerts],
        }


def judge_health(settings: Settings, now: datetime | None = None) -> HealthCheck:
    """Check the whole pipeline without any effect: no alert changes, and no row and no state file is written."""
    now = now or datetime.now(UTC)
    alert_state = Alerts(settings, lambda: now).alert_state()
    results = run_checks(collect(settings, alert_state, now).facts, Limits.of(settings))
    return HealthCheck(uuid.uuid4().hex, now, results, alert_state.open_alerts, has_requested_restart=False)


def run_health_check(settings: Settings, now: datetime | None = None) -> HealthCheck:
    """Check the whole pipeline once, and act on it. An unreachable source is a failed result, never an error."""
    now = now or datetime.now(UTC)
    alerts, limits = Alerts(settings, lambda: now), Limits.of(settings)
    before = alerts.alert_state()
    collected = collect(settings, before, now)
    results = run_checks(collected.facts, limits)
    token = token_to_restart(collected.facts, limits)
    is_due = is_restart_due(before, token)
    alerts.change(*decisions(alerts, results, resolved_alerts(results, collected.facts)))
    has_requested = is_due and _request_restart(settings, token, now)
    alert_state = alerts.update(
        lambda alert_state: alert_state.model_copy(
            update={
                "checked_at": now,
                "examined_at": collected.examined_at,
                "unhealthy_token": token,
                "recycled_token": token if has_requested else alert_state.recycled_token,
            }
        )
    )
    check = HealthCheck(uuid.uuid4().hex, now, results, alert_state.open_alerts, has_requested)
    if not any(result.alert is AlertKey.BIGQUERY_UNREACHABLE for result in results):
        alerts.record()
        _record(settings, check)
    return check


def is_restart_due(before: AlertState, token: str) -> bool:
    """Whether a stream run failed its second check in a row, and its restart was not requested yet."""
    return token != "" and before.unhealthy_token == token and before.recycled_token != token


def decisions(alerts: Alerts, results: list[Result], resolved: set[AlertKey]) -> list[Decision]:
    """What the results mean for the alerts: raise each key once, resolve what is resolved."""
    raised: dict[AlertKey, list[Result]] = {}
    for result in results:
        if result.alert:
            raised.setdefault(result.alert, []).append(result)
    raising = [alerts.raising(_worst(found), key, _text(found)) for key, found in raised.items()]
    return raising + [alerts.resolving(key, f"no longer: {ALERTS[key].meaning}") for key in sorted(resolved)]


def _worst(found: list[Result]) -> Severity:
    return Severity.CRITICAL if any(result.grade is Grade.CRITICAL for result in found) else Severity.WARNING


def _text(found: list[Result]) -> str:
    return "; ".join(dict.fromkeys(result.detail for result in found))


def _request_restart(settings: Settings, token: str, now: datetime) -> bool:
    state_files = StateFiles(settings.state_files)
    try:
        desired_state = state_files.desired_state()
        if desired_state is None or desired_state.token != token or desired_state.desired == "stop":
            return False  # the guard has already acted
        reason = "recycle: check_stream_health found this stream run unhealthy twice in a row"
        state_files.write_desired_state(
            desired_state.model_copy(update={"desired": "stop", "reason": reason, "at": now})
        )
    except (StateFileError, OSError) as error:
        logger.warning("Cannot request a restart of the stream: %s", error)
        return False
    logger.warning("Requested a restart of the stream: it failed the last two health checks")
    return True


def _record(settings: Settings, check: HealthCheck) -> None:
    rows = [
        {"check_id": check.check_id, "checked_at": check.checked_at.isoformat(), **result.as_dict()}
        for result in check.results
    ]
    try:
        with Warehouse(settings) as warehouse:
            append_rows(warehouse, TABLE, rows)
    except WarehouseError as error:
        logger.warning("Cannot write the health check to %s: %s", TABLE, error)
