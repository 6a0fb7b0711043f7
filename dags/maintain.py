"""# maintain: proves completeness, deletes old data

**What it does.** Once a day, task by task, each also after one that failed: compares the whole landing table with
Kafka, which `check_stream_health` does for the last hour only; deletes Airflow's old runs and logs, staging files that
no load job took, the emulator's finished jobs, dbt's compiled files and logs, and dbt's expired scratch tables. Owner:
data platform.

**What red means.** A task could not delete: nothing breaks today, but over weeks the disk fills and queries get slower.
`prove_completeness` is the exception: red means that messages are lost or landed twice.

**What to do**

1. `prove_completeness` is red: read the section `records_lost_or_duplicated` in `docs/runbook.md` now.
2. Any other: read the end of the task's log, fix what it names, clear the task. Every task is safe to rerun.
3. The alert is `dag_failed`: its section in `docs/runbook.md` has more.
"""

from datetime import UTC, datetime, timedelta

from csat.airflow.defaults import task_defaults  # isort: skip  # first: it checks Airflow's version
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, CronTriggerTimetable, Param, TriggerRule, chain

from csat.airflow.command import CsatCommandOperator


def _age(default: int, unit: str, of: str, minimum: int = 1, maximum: int = 3650) -> Param:
    description = f"Only {of} older than this many {unit}."
    return Param(default, type="integer", minimum=minimum, maximum=maximum, description=description)


with DAG(
    dag_id="maintain",
    description="Proves completeness and deletes old data",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("40 3 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
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
    commands = {
        "prove_completeness": ["check", "completeness"],
        "clean_airflow": ["maintain", "airflow", "--days", "{{ params.airflow_days }}"],
        "clean_staging": ["maintain", "staging", "--days", "{{ params.staging_days }}"],
        "clean_emulator_jobs": [
            *["maintain", "emulator-jobs", "--hours", "{{ params.job_hours }}"],
            *["--limit", "{{ params.job_limit }}"],
        ],
        "clean_dbt": ["maintain", "dbt", "--days", "{{ params.dbt_days }}"],
        "clean_scratch": ["maintain", "scratch", "--hours", "{{ params.scratch_hours }}"],
    }
    tasks = [
        CsatCommandOperator(task_id=name, command=[*command, "--json"], trigger_rule=TriggerRule.ALL_DONE)
        for name, command in commands.items()
    ]
    chain(*tasks)
    # A run is as red as its last task: this one is, if any of them is
    tasks >> EmptyOperator(task_id="all_succeeded")
