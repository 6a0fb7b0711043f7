"""The watch document, beside the stream's two: which alerts stand, and what the last looks at the pipeline found.

It is a document and not a table, so that alerts work while BigQuery does not (docs/decisions/006).
"""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from csat.alerts import AlertKey, Severity


class OpenAlert(BaseModel):
    """An alert that stands."""

    model_config = ConfigDict(frozen=True)

    key: AlertKey
    about: str = ""  # what it is about, where a key is raised for many things: a DAG
    severity: Severity
    text: str
    opened_at: AwareDatetime
    told_at: AwareDatetime  # when it was told last


class Notice(BaseModel):
    """One time that an alert was told; a row of csat_ops.alerts."""

    model_config = ConfigDict(frozen=True)

    notice_id: str
    told_at: AwareDatetime
    alert_key: AlertKey
    about: str
    severity: Severity
    status: Literal["opened", "reminded", "recovered"]
    text: str
    opened_at: AwareDatetime


class Watch(BaseModel):
    """What is remembered from one look, or alert, to the next."""

    model_config = ConfigDict(frozen=True)

    open_alerts: tuple[OpenAlert, ...] = ()
    unrecorded: tuple[Notice, ...] = ()  # told, but not yet rows: BigQuery did not answer
    looked_at: AwareDatetime | None = None
    searched_at: AwareDatetime | None = None  # when late rows were last searched for in every partition
    bad_token: str = ""  # the life of the stream that the last look found in need of a restart
    recycled_token: str = ""  # the life that a look has asked to restart: no life is asked twice

    def find(self, key: AlertKey, about: str = "") -> OpenAlert | None:
        """The alert that stands of this key and about this; None where there is none."""
        return next((alert for alert in self.open_alerts if (alert.key, alert.about) == (key, about)), None)
