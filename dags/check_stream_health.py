"""# check_stream_health: is the whole pipeline well?

**What it does.** Runs `csat check health`: asks the stream's documents, Kafka, BigQuery and Airflow, judges what they
say, writes a row for each check to `csat_ops.pipeline_health_checks`, and raises or ends alerts. When it finds the
stream in need of a restart twice in a row, it asks for one, once for each life of the stream. Owner: data platform.

**What red means.** A check is bad: the end of the task's log is a table of all of them. The alert for it was sent
with this look, or stands since an earlier one; the next green run ends it.

**What to do**

1. Find the bad checks in the task's log, and each one's alert key.
2. Read the key's section in `docs/runbook.md`: the sign, the likely causes, the commands.
3. No table in the log: the look itself could not run. Its last lines name the setting to look at.

A look changes nothing but its own rows and alerts. It can be run at any time: clear the task, trigger the DAG, or call
`csat check health`.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable

from guard.command import CsatCommandOperator
from guard.defaults import task_defaults

with DAG(
    dag_id="check_stream_health",
    description="Looks at the whole pipeline and tells who must know",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("*/5 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    # No second try: the next look is five minutes away, and a bad look is an answer
    default_args=task_defaults(retries=0),
    tags=["tier:1", "part:stream"],
):
    CsatCommandOperator(
        task_id="check_stream_health",
        command=["check", "health"],
        execution_timeout=timedelta(minutes=4),
        priority_weight=100,  # a full queue of other work is no reason not to look
    )
