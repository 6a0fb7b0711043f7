"""The alert state, beside the stream's two state files: open alerts, and what the last health check runs found.

It is a file and not a table, so that alerting works while BigQuery is down (docs/decisions/006).
"""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from csat.contract.alerts import AlertKey, Severity


class OpenAlert(BaseModel):
    """An open alert."""

    model_config = ConfigDict(frozen=True)

    key: AlertKey
    about: str = ""  # the subject, where one key is raised for many: a DAG
    severity: Severity
    text: str
    opened_at: AwareDatetime
    notified_at: AwareDatetime  # when it was last notified


class Notice(BaseModel):
    """One notification of an alert; a row of csat_ops.alerts."""

    model_config = ConfigDict(frozen=True)

    notice_id: str
    notified_at: AwareDatetime
    alert_key: AlertKey
    about: str
    severity: Severity
    status: Literal["opened", "reminded", "recovered"]
    text: str
    opened_at: AwareDatetime


class AlertState(BaseModel):
    """What one health check run, or alert, stores for the next."""

    model_config = ConfigDict(frozen=True)

    open_alerts: tuple[OpenAlert, ...] = ()
    unrecorded: tuple[Notice, ...] = ()  # sent, but not yet rows: BigQuery was unreachable
    checked_at: AwareDatetime | None = None
    examined_at: AwareDatetime | None = None  # when gaps in the landed offsets were last examined
    unhealthy_token: str = ""  # the stream run that the last check found in need of a restart
    recycled_token: str = ""  # the run whose restart was requested: once per run

    def find(self, key: AlertKey, about: str = "") -> OpenAlert | None:
        """The open alert with this key and subject, or None."""
        return next((alert for alert in self.open_alerts if (alert.key, alert.about) == (key, about)), None)
