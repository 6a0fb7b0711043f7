"""Alert keys with severity and meaning. Each key has a section of the same name in docs/runbook.md."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether somebody must act now."""

    WARNING = "warning"
    CRITICAL = "critical"


class AlertKey(StrEnum):
    """One kind of problem. At most one alert is open per key and subject, however often it is raised."""

    STREAM_DOWN = "stream_down"
    STREAM_SLOW = "stream_slow"
    STREAM_STOPPED = "stream_stopped"
    STREAM_RESTART_OVERDUE = "stream_restart_overdue"
    STREAM_RUN_FAILED = "stream_run_failed"
    POISON_BATCH = "poison_batch"
    TOPIC_CHANGED = "topic_changed"
    RECORDS_EXPIRED = "records_expired"
    LANDING_TABLE_OUTDATED = "landing_table_outdated"
    STREAM_UNMONITORED = "stream_unmonitored"
    STATE_FILES_UNREADABLE = "state_files_unreadable"
    KAFKA_UNREACHABLE = "kafka_unreachable"
    KAFKA_BACKLOG = "kafka_backlog"
    TOPIC_MISCONFIGURED = "topic_misconfigured"
    BIGQUERY_UNREACHABLE = "bigquery_unreachable"
    LANDING_DELAYED = "landing_delayed"
    RECORDS_LOST_OR_DUPLICATED = "records_lost_or_duplicated"
    REJECT_RATE_HIGH = "reject_rate_high"
    MARTS_STALE = "marts_stale"
    LOAD_JOB_QUOTA_LOW = "load_job_quota_low"
    DISK_SPACE_LOW = "disk_space_low"
    AIRFLOW_UNREACHABLE = "airflow_unreachable"
    AIRFLOW_UNHEALTHY = "airflow_unhealthy"
    DAG_FAILED = "dag_failed"


@dataclass(frozen=True)
class Alert:
    """The default severity of a key, which the caller may override, and its meaning."""

    severity: Severity
    meaning: str


ALERTS = {
    AlertKey.STREAM_DOWN: Alert(Severity.CRITICAL, "The stream is dead, frozen, failed or stalled."),
    AlertKey.STREAM_SLOW: Alert(
        Severity.WARNING, "The stream lags, or a batch takes longer than the trigger interval."
    ),
    AlertKey.STREAM_STOPPED: Alert(Severity.WARNING, "The stream is stopped on purpose."),
    AlertKey.STREAM_RESTART_OVERDUE: Alert(
        Severity.WARNING, "The stream is due for a clean restart that has not happened."
    ),
    AlertKey.STREAM_RUN_FAILED: Alert(Severity.WARNING, "A stream run failed; the next one starts automatically."),
    AlertKey.POISON_BATCH: Alert(Severity.CRITICAL, "The same batch of the stream failed three times."),
    AlertKey.TOPIC_CHANGED: Alert(Severity.CRITICAL, "The topic is not the one that the stream has read so far."),
    AlertKey.RECORDS_EXPIRED: Alert(Severity.CRITICAL, "Kafka deleted records before they landed."),
    AlertKey.LANDING_TABLE_OUTDATED: Alert(
        Severity.CRITICAL, "The landing table has the partitions of an earlier release."
    ),
    AlertKey.STREAM_UNMONITORED: Alert(Severity.CRITICAL, "No run of the DAG run_stream monitors the stream."),
    AlertKey.STATE_FILES_UNREADABLE: Alert(Severity.CRITICAL, "The stream's state files cannot be read."),
    AlertKey.KAFKA_UNREACHABLE: Alert(Severity.CRITICAL, "Kafka is unreachable."),
    AlertKey.KAFKA_BACKLOG: Alert(Severity.WARNING, "More messages wait in Kafka than fit into a few batches."),
    AlertKey.TOPIC_MISCONFIGURED: Alert(
        Severity.WARNING, "The topic takes record times from producers, or deletes messages by their key."
    ),
    AlertKey.BIGQUERY_UNREACHABLE: Alert(Severity.CRITICAL, "BigQuery is unreachable, or refuses requests."),
    AlertKey.LANDING_DELAYED: Alert(Severity.CRITICAL, "Messages wait in Kafka for longer than the limit."),
    AlertKey.RECORDS_LOST_OR_DUPLICATED: Alert(Severity.CRITICAL, "Kafka messages are lost, or landed twice."),
    AlertKey.REJECT_RATE_HIGH: Alert(Severity.WARNING, "Too many messages of the last hour were rejected."),
    AlertKey.MARTS_STALE: Alert(Severity.WARNING, "Landed rows have been missing from the marts for too long."),
    AlertKey.LOAD_JOB_QUOTA_LOW: Alert(Severity.WARNING, "The landing table's daily load jobs are running out."),
    AlertKey.DISK_SPACE_LOW: Alert(Severity.CRITICAL, "The disk with the staging files is almost full."),
    AlertKey.AIRFLOW_UNREACHABLE: Alert(Severity.CRITICAL, "Airflow's API is unreachable."),
    AlertKey.AIRFLOW_UNHEALTHY: Alert(Severity.CRITICAL, "A component of Airflow has no recent heartbeat."),
    AlertKey.DAG_FAILED: Alert(Severity.WARNING, "A task of a DAG failed after all its retries."),
}
