"""# check_stream_health: checks the whole pipeline

**What it does.** Runs `csat check health`: queries the stream's state files, Kafka, BigQuery and Airflow, judges the
results, writes a row for each check to `csat_ops.pipeline_health_checks`, and raises or resolves alerts. If the stream
needs a restart in two runs in a row, it requests one, once per stream run. Owner: data platform.

**What red means.** A check failed: the end of the task's log is a table of all of them. Its alert was sent by this run,
or is open since an earlier one; the next green run resolves it.

**What to do**

1. Find the failed checks and their alert keys in the task's log.
2. Read the key's section in `docs/runbook.md`: the symptom, the likely causes, the commands.
3. No table in the log: the health check itself could not run. Its last lines name the setting to check.

A health check changes nothing but its own rows and alerts. Run it at any time: clear the task, trigger the DAG, or run
`csat check health`.
"""

from datetime import UTC, datetime, timedelta

from csat.airflow.defaults import task_defaults  # isort: skip  # first: it checks Airflow's version
from airflow.sdk import DAG, CronTriggerTimetable

from csat.airflow.command import CsatCommandOperator

with DAG(
    dag_id="check_stream_health",
    description="Checks the whole pipeline and sends alerts",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("*/5 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    # No retry: the next run is five minutes away, and a failed check is a result
    default_args=task_defaults(retries=0),
    tags=["tier:1", "part:stream"],
):
    CsatCommandOperator(
        task_id="check_stream_health",
        command=["check", "health"],
        execution_timeout=timedelta(minutes=4),
        priority_weight=100,  # a full queue of other work must not delay it
    )
