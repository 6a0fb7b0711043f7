"""Alerts: one of a key while it stands, told again after some hours, and told once when it is over."""

import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from csat.alerts import AlertKey, Severity
from csat.documents import DocumentError, Documents
from csat.settings import Settings
from csat.watch import Notice, OpenAlert, Watch
from warehouse import alert_delivery

logger = logging.getLogger(__name__)

Status = Literal["opened", "reminded", "recovered"]
Change = tuple[Watch, Notice | None]  # what to remember, and what to tell, if anything
Decision = Callable[[Watch], Change]
_LONGEST_UNRECORDED = 200


def with_alert(watch: Watch, alert: OpenAlert, remind_after: timedelta) -> Change:
    """The watch once `alert` is raised. It is told when it is new, when it got worse, and after `remind_after`."""
    before = watch.find(alert.key, alert.about)
    others = _others(watch, alert)
    if before is None:
        return _with(watch, others, alert), _notice(alert, "opened", alert.told_at)
    standing = alert.model_copy(update={"opened_at": before.opened_at})
    if alert.severity is Severity.CRITICAL and before.severity is Severity.WARNING:
        return _with(watch, others, standing), _notice(standing, "opened", alert.told_at)
    if alert.told_at - before.told_at >= remind_after:
        return _with(watch, others, standing), _notice(standing, "reminded", alert.told_at)
    return _with(watch, others, standing.model_copy(update={"told_at": before.told_at})), None


def without_alert(watch: Watch, key: AlertKey, about: str, text: str, now: datetime) -> Change:
    """The watch once the alert is over; nothing to tell where none stood."""
    before = watch.find(key, about)
    if before is None:
        return watch, None
    recovered = before.model_copy(update={"text": text})
    return _with(watch, _others(watch, before)), _notice(recovered, "recovered", now)


def _others(watch: Watch, alert: OpenAlert) -> tuple[OpenAlert, ...]:
    return tuple(one for one in watch.open_alerts if (one.key, one.about) != (alert.key, alert.about))


def _with(watch: Watch, others: tuple[OpenAlert, ...], *more: OpenAlert) -> Watch:
    return watch.model_copy(update={"open_alerts": (*others, *more)})


def _notice(alert: OpenAlert, status: Status, now: datetime) -> Notice:
    return Notice(
        notice_id=uuid.uuid4().hex,
        told_at=now,
        alert_key=alert.key,
        about=alert.about,
        severity=alert.severity,
        status=status,
        text=alert.text,
        opened_at=alert.opened_at,
    )


class Alerts:
    """The alerts of one pipeline. An alert that cannot be told in one way is told in the others; none of it raises."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._settings = settings
        self._documents = Documents(settings.documents)
        self._remind_after = timedelta(hours=settings.alert_remind_hours)
        self._clock = clock

    def alert(self, severity: Severity, key: AlertKey, text: str, about: str = "") -> list[Notice]:
        """Raise an alert; returns what was told: nothing where it stands and was told already."""
        notices = self.change(self.raising(severity, key, text, about))
        self.record()
        return notices

    def recover(self, key: AlertKey, text: str, about: str = "") -> list[Notice]:
        """End an alert; returns what was told: nothing where none stood."""
        notices = self.change(self.ending(key, text, about))
        self.record()
        return notices

    def raising(self, severity: Severity, key: AlertKey, text: str, about: str = "") -> Decision:
        """The decision to raise an alert."""
        now = self._clock()
        raised = OpenAlert(key=key, about=about, severity=severity, text=text, opened_at=now, told_at=now)
        return lambda watch: with_alert(watch, raised, self._remind_after)

    def ending(self, key: AlertKey, text: str, about: str = "") -> Decision:
        """The decision that an alert is over."""
        return lambda watch: without_alert(watch, key, about, text, self._clock())

    def change(self, *decisions: Decision) -> list[Notice]:
        """Take the decisions in one change of the document, then tell what they say; returns that."""
        told: list[Notice] = []

        def decide(watch: Watch) -> Watch:
            for decision in decisions:
                watch, notice = decision(watch)
                told.extend([notice] if notice else [])
            waiting = (*watch.unrecorded, *told)[-_LONGEST_UNRECORDED:]
            return watch.model_copy(update={"unrecorded": waiting})

        self.remember(decide)
        for notice in told:
            alert_delivery.tell(self._settings, notice)
        return told

    def watch(self) -> Watch:
        """What is remembered; nothing where the document is broken: at worst an alert is told twice."""
        try:
            return self._documents.watch()
        except (DocumentError, OSError) as error:
            logger.warning("The open alerts are forgotten: %s", error)
            return Watch()

    def remember(self, change: Callable[[Watch], Watch]) -> Watch:
        """Change the watch document; returns what it is now."""
        watch = None
        try:
            with self._documents.watch_lock():
                watch = change(self.watch())
                self._documents.write_watch(watch)
        except OSError as error:  # a full disk, or a folder of another: alerts are told all the same
            logger.warning("The open alerts cannot be kept: %s", error)
        return watch or change(Watch())

    def record(self) -> None:
        """Write the rows of what was told; those that BigQuery does not take now are kept for the next time."""
        waiting = self.watch().unrecorded
        if waiting and alert_delivery.record(self._settings, waiting):
            done = {notice.notice_id for notice in waiting}
            self.remember(
                lambda watch: watch.model_copy(
                    update={"unrecorded": tuple(one for one in watch.unrecorded if one.notice_id not in done)}
                )
            )
