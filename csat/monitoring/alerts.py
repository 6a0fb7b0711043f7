"""Alerts: one per key while it is open, notified again after some hours, and once more when it is resolved."""

import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from csat.contract.ages import age
from csat.contract.alerts import AlertKey, Severity
from csat.contract.settings import Settings
from csat.control.open_alerts import AlertState, Notice, OpenAlert
from csat.control.state_files import StateFileError, StateFiles
from csat.monitoring import delivery

logger = logging.getLogger(__name__)

Status = Literal["opened", "reminded", "recovered"]
Change = tuple[AlertState, Notice | None]  # the new state, and the notification to send, if any
Decision = Callable[[AlertState], Change]
_MAX_UNRECORDED = 200


def with_alert(alert_state: AlertState, alert: OpenAlert, remind_after: timedelta) -> Change:
    """The state once `alert` is raised. Notifies if it is new or more severe, and after `remind_after`."""
    before = alert_state.find(alert.key, alert.about)
    others = _others(alert_state, alert)
    if before is None:
        return _with(alert_state, others, alert), _notice(alert, "opened", alert.notified_at)
    updated = alert.model_copy(update={"opened_at": before.opened_at})
    if alert.severity is Severity.CRITICAL and before.severity is Severity.WARNING:
        return _with(alert_state, others, updated), _notice(updated, "opened", alert.notified_at)
    if age(before.notified_at, alert.notified_at) >= remind_after:
        return _with(alert_state, others, updated), _notice(updated, "reminded", alert.notified_at)
    return _with(alert_state, others, updated.model_copy(update={"notified_at": before.notified_at})), None


def without_alert(alert_state: AlertState, key: AlertKey, about: str, text: str, now: datetime) -> Change:
    """The state once the alert is resolved; no notification if none was open."""
    before = alert_state.find(key, about)
    if before is None:
        return alert_state, None
    recovered = before.model_copy(update={"text": text})
    return _with(alert_state, _others(alert_state, before)), _notice(recovered, "recovered", now)


def _others(alert_state: AlertState, alert: OpenAlert) -> tuple[OpenAlert, ...]:
    return tuple(one for one in alert_state.open_alerts if (one.key, one.about) != (alert.key, alert.about))


def _with(alert_state: AlertState, others: tuple[OpenAlert, ...], *more: OpenAlert) -> AlertState:
    return alert_state.model_copy(update={"open_alerts": (*others, *more)})


def _notice(alert: OpenAlert, status: Status, now: datetime) -> Notice:
    return Notice(
        notice_id=uuid.uuid4().hex,
        notified_at=now,
        alert_key=alert.key,
        about=alert.about,
        severity=alert.severity,
        status=status,
        text=alert.text,
        opened_at=alert.opened_at,
    )


class Alerts:
    """The alerts of one pipeline. If one delivery channel fails, the others are still used; no method raises."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._settings = settings
        self._state_files = StateFiles(settings.state_files)
        self._remind_after = timedelta(hours=settings.alert_remind_hours)
        self._clock = clock

    def alert(self, severity: Severity, key: AlertKey, text: str, about: str = "") -> list[Notice]:
        """Raise an alert; returns the notices sent: none if it is open and was already notified."""
        notices = self.change(self.raising(severity, key, text, about))
        self.record()
        return notices

    def recover(self, key: AlertKey, text: str, about: str = "") -> list[Notice]:
        """Resolve an alert; returns the notices sent: none if none was open."""
        notices = self.change(self.resolving(key, text, about))
        self.record()
        return notices

    def raising(self, severity: Severity, key: AlertKey, text: str, about: str = "") -> Decision:
        """The decision to raise an alert."""
        now = self._clock()
        raised = OpenAlert(key=key, about=about, severity=severity, text=text, opened_at=now, notified_at=now)
        return lambda alert_state: with_alert(alert_state, raised, self._remind_after)

    def resolving(self, key: AlertKey, text: str, about: str = "") -> Decision:
        """The decision to resolve an alert."""
        return lambda alert_state: without_alert(alert_state, key, about, text, self._clock())

    def change(self, *decisions: Decision) -> list[Notice]:
        """Apply the decisions in one write of the alert state, then send their notices; returns these."""
        notices: list[Notice] = []

        def decide(alert_state: AlertState) -> AlertState:
            for decision in decisions:
                alert_state, notice = decision(alert_state)
                notices.extend([notice] if notice else [])
            waiting = (*alert_state.unrecorded, *notices)[-_MAX_UNRECORDED:]
            return alert_state.model_copy(update={"unrecorded": waiting})

        self.update(decide)
        for notice in notices:
            delivery.notify(self._settings, notice)
        return notices

    def alert_state(self) -> AlertState:
        """The alert state; empty if the file is broken: at worst an alert is notified twice."""
        try:
            return self._state_files.alert_state()
        except (StateFileError, OSError) as error:
            logger.warning("Cannot read the open alerts, starting without any: %s", error)
            return AlertState()

    def update(self, change: Callable[[AlertState], AlertState]) -> AlertState:
        """Change the alert state; returns the new one."""
        alert_state = None
        try:
            with self._state_files.alert_state_lock():
                alert_state = change(self.alert_state())
                self._state_files.write_alert_state(alert_state)
        except OSError as error:  # a full disk, or another user's folder: notices are sent all the same
            logger.warning("Cannot save the open alerts: %s", error)
        return alert_state or change(AlertState())

    def record(self) -> None:
        """Write the rows of the notices sent; those that BigQuery does not accept now are kept for the next time."""
        waiting = self.alert_state().unrecorded
        if waiting and delivery.record(self._settings, waiting):
            recorded = {notice.notice_id for notice in waiting}
            self.update(
                lambda alert_state: alert_state.model_copy(
                    update={"unrecorded": tuple(one for one in alert_state.unrecorded if one.notice_id not in recorded)}
                )
            )
