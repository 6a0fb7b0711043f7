"""# maintain: deletes old data, proves completeness

**What it does.** Once a day, task by task: deletes Airflow's old runs and logs, staging files that no load job took,
the emulator's finished jobs, dbt's compiled files and logs, and dbt's expired scratch tables; and compares the whole
landing table with Kafka, which `check_stream_health` does for the last hour only. Owner: data platform.

**What red means.** A task could not delete: nothing breaks today, but over weeks the disk fills and queries get slower.
`prove_completeness` is the exception: red means that messages are lost or landed twice.

**What to do**

1. `prove_completeness` is red: read the section `records_lost_or_duplicated` in `docs/runbook.md` now.
2. Any other: read the end of the task's log, fix what it names, clear the task. Every task is safe to rerun.
3. The alert is `dag_failed`: its section in `docs/runbook.md` has more.
"""

from datetime import UTC, datetime, timedelta

from csat.airflow.defaults import task_defaults  # isort: skip  # first: it checks Airflow's version
from airflow.sdk import DAG, CronTriggerTimetable, Param

from csat.airflow.command import CsatCommandOperator


def _age(default: int, unit: str, of: str, minimum: int = 1, maximum: int = 3650) -> Param:
    description = f"Only {of} older than this many {unit}."
    return Param(default, type="integer", minimum=minimum, maximum=maximum, description=description)


with DAG(
    dag_id="maintain",
    description="Deletes old data and proves completeness",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("40 3 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=1,  # none of it is urgent
    is_paused_upon_creation=False,
    default_args=task_defaults(retries=1) | {"execution_timeout": timedelta(minutes=30)},
    tags=["tier:3", "part:stream"],
    params={
        "airflow_days": _age(30, "days", "runs, tasks and logs of Airflow", minimum=7),
        "staging_days": _age(7, "days", "staging files"),
        "job_hours": _age(6, "hours", "jobs of the emulator"),
        "job_limit": Param(
            20_000, type="integer", minimum=1, maximum=1_000_000, description="Maximum number of jobs to delete."
        ),
        "dbt_days": _age(14, "days", "files of dbt"),
        "scratch_hours": _age(24, "hours", "scratch tables"),
    },
):
    for task_id, command in {
        "clean_airflow": ["airflow", "--days", "{{ params.airflow_days }}"],
        "clean_staging": ["staging", "--days", "{{ params.staging_days }}"],
        "clean_emulator_jobs": [
            *["emulator-jobs", "--hours", "{{ params.job_hours }}", "--limit", "{{ params.job_limit }}"]
        ],
        "clean_dbt": ["dbt", "--days", "{{ params.dbt_days }}"],
        "clean_scratch": ["scratch", "--hours", "{{ params.scratch_hours }}"],
    }.items():
        CsatCommandOperator(task_id=task_id, command=["maintain", *command, "--json"])
    CsatCommandOperator(task_id="prove_completeness", command=["check", "completeness", "--json"])
