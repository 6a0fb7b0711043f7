"""# reconcile_marts: compares the marts with the landing table every night

**What it does.** Runs `csat marts reconcile`: counts the responses of every date in the landing table and in every
mart, rebuilds the dates that differ, and runs all tests over all rows. Builds read only what landed in the last days
(`CSAT_MARTS_LOOK_BACK_DAYS`) and test only what they built; responses for older days are found here. Its log names
every date and mart that differed. Owner: data platform.

**What red means.** A test failed over all rows, or dates still differ after the rebuild: a model is wrong. The marts
are in the state of the last builds.

**What to do**

1. Read the task's log: it names the marts and dates, or the test.
2. Fix the model, then trigger the DAG `rebuild_marts`.
3. A date that differs every night, though it is rebuilt, has rows that builds do not see: compare `ingested_at` of its
   rows with the watermarks in `csat_ops.mart_builds`.
4. The alert is `dag_failed`: its section in `docs/runbook.md` has more.
"""

from datetime import UTC, datetime, timedelta

from csat.airflow.defaults import task_defaults  # isort: skip  # first: it checks Airflow's version
from airflow.sdk import DAG, CronTriggerTimetable

from csat.airflow.command import CsatCommandOperator
from csat.airflow.marts import PublishMartsOperator
from csat.clients.airflow_api import MARTS_POOL

with DAG(
    dag_id="reconcile_marts",
    description="Compares the marts with the landing table and rebuilds what differs",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("20 2 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(retries=1),
    tags=["tier:2", "part:marts"],
):
    reconcile = CsatCommandOperator(
        task_id="reconcile_marts",
        command=["marts", "reconcile", "--json"],
        pool=MARTS_POOL,
        execution_timeout=timedelta(hours=2),
    )
    reconcile >> PublishMartsOperator(
        task_id="publish_marts", built_by="reconcile_marts", execution_timeout=timedelta(minutes=5)
    )
