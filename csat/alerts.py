"""What can be wrong, each by the key that names its alert, its severity and its section of docs/runbook.md."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether somebody must act now."""

    WARNING = "warning"
    CRITICAL = "critical"


class AlertKey(StrEnum):
    """One kind of trouble. There is one open alert of a key, and of what it is about, however often it is raised."""

    STREAM_DOWN = "stream_down"
    STREAM_SLOW = "stream_slow"
    STREAM_STOPPED = "stream_stopped"
    STREAM_OVERDUE = "stream_overdue"
    STREAM_ENDED = "stream_ended"
    POISON_BATCH = "poison_batch"
    STREAM_UNGUARDED = "stream_unguarded"
    DOCUMENTS_UNREADABLE = "documents_unreadable"
    KAFKA_UNREACHABLE = "kafka_unreachable"
    KAFKA_BACKLOG = "kafka_backlog"
    BIGQUERY_UNREACHABLE = "bigquery_unreachable"
    LANDING_LATE = "landing_late"
    RECORDS_WRONG = "records_wrong"
    REJECTS_HIGH = "rejects_high"
    MARTS_LATE = "marts_late"
    LOAD_JOBS_SHORT = "load_jobs_short"
    DISK_SHORT = "disk_short"
    AIRFLOW_UNREACHABLE = "airflow_unreachable"
    AIRFLOW_UNWELL = "airflow_unwell"
    DAG_FAILED = "dag_failed"


@dataclass(frozen=True)
class Alert:
    """How bad a key is, unless who raises it knows better, and what it says."""

    severity: Severity
    meaning: str


ALERTS = {
    AlertKey.STREAM_DOWN: Alert(Severity.CRITICAL, "The stream is dead, frozen, failed or stalled."),
    AlertKey.STREAM_SLOW: Alert(Severity.WARNING, "The stream lags, or its batches take longer than its trigger."),
    AlertKey.STREAM_STOPPED: Alert(Severity.WARNING, "The stream is stopped on purpose."),
    AlertKey.STREAM_OVERDUE: Alert(
        Severity.WARNING, "The stream is due for a restart in good order, and has not had it."
    ),
    AlertKey.STREAM_ENDED: Alert(
        Severity.WARNING, "A life of the stream ended in disorder; the next begins by itself."
    ),
    AlertKey.POISON_BATCH: Alert(Severity.CRITICAL, "The same batch of the stream failed three times."),
    AlertKey.STREAM_UNGUARDED: Alert(Severity.CRITICAL, "No run of the DAG run_stream watches the stream."),
    AlertKey.DOCUMENTS_UNREADABLE: Alert(Severity.CRITICAL, "The stream's documents cannot be read."),
    AlertKey.KAFKA_UNREACHABLE: Alert(Severity.CRITICAL, "Kafka does not answer."),
    AlertKey.KAFKA_BACKLOG: Alert(Severity.WARNING, "More messages wait in Kafka than a few batches hold."),
    AlertKey.BIGQUERY_UNREACHABLE: Alert(Severity.CRITICAL, "BigQuery does not answer, or refuses."),
    AlertKey.LANDING_LATE: Alert(Severity.CRITICAL, "Messages wait in Kafka for longer than they may."),
    AlertKey.RECORDS_WRONG: Alert(Severity.CRITICAL, "Records of Kafka are lost, or landed twice."),
    AlertKey.REJECTS_HIGH: Alert(Severity.WARNING, "Too many messages of the last hour were rejected."),
    AlertKey.MARTS_LATE: Alert(Severity.WARNING, "Rows that landed are not in the marts in time."),
    AlertKey.LOAD_JOBS_SHORT: Alert(Severity.WARNING, "BigQuery's daily load jobs of the landing table run out."),
    AlertKey.DISK_SHORT: Alert(Severity.CRITICAL, "The disk of the staging files is almost full."),
    AlertKey.AIRFLOW_UNREACHABLE: Alert(Severity.CRITICAL, "Airflow's API does not answer."),
    AlertKey.AIRFLOW_UNWELL: Alert(Severity.CRITICAL, "A component of Airflow does not beat."),
    AlertKey.DAG_FAILED: Alert(Severity.WARNING, "A task of a DAG failed after all its tries."),
}
