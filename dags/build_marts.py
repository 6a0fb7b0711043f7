"""# build_marts: builds the marts behind the dashboard from landed rows

**What it does.** `build_marts` runs `csat marts build`: it finds the response dates touched since the last build,
rebuilds those dates of every mart with dbt, tests them and moves the watermark. It builds everything up to now,
whatever triggered it: rows that the stream committed (the asset `survey_responses_landed`), or the schedule every 15
minutes. `publish_marts` then emits the events of the marts' assets; it is skipped if nothing was new. If the newest row
is old, the build logs a warning and continues. Owner: data platform.

One build runs at a time: builds of Airflow wait for the pool `marts`, and all of them, also those that a person starts,
for a lease of five minutes, which the build renews. The log says who has it since when.

**What red means.** Models that depend on the failed one were not built, nothing was published, and the dashboards keep
the last good figures, which become stale, and name the test that failed. No data is lost: the next successful build
includes everything that was missed. A task retries once before it turns red.

**What to do**

1. Read the task's log: dbt names the model or the test that failed. `csat_ops.dbt_tests` and `csat_ops.dbt_runs` have
   every test and model of every build.
2. A failed *test* means that the data broke an invariant, such as a response that counts twice. Inspect its rows before
   you rerun anything.
3. BigQuery unreachable, or timeout (30 minutes): fix that, then clear the task or wait for the next run.
4. *Another build of the marts still runs*: end that build, or wait; once it was killed, the lease expires by itself.
   *Another build of the marts took the lease*: this machine was paused or had no connection; clear the task.
5. Rebuilding the same dates is safe at any time.
6. The alerts are `dag_failed` and, after 15 minutes, `marts_stale`: their sections in `docs/runbook.md` have more.
"""

from datetime import UTC, datetime, timedelta

from csat.airflow.defaults import task_defaults  # isort: skip  # first: it checks Airflow's version
from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable

from csat.airflow.command import CsatCommandOperator
from csat.airflow.marts import SURVEY_RESPONSES_LANDED, PublishMartsOperator
from csat.clients.airflow_api import MARTS_POOL

with DAG(
    dag_id="build_marts",
    description="Builds the marts from the rows that have landed",
    doc_md=__doc__,
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("*/15 * * * *", timezone="UTC"), assets=[SURVEY_RESPONSES_LANDED]
    ),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(retries=1),
    tags=["tier:1", "part:marts"],
):
    build = CsatCommandOperator(
        task_id="build_marts",
        command=["marts", "build", "--json"],
        pool=MARTS_POOL,
        execution_timeout=timedelta(minutes=30),
    )
    build >> PublishMartsOperator(
        task_id="publish_marts", built_by="build_marts", execution_timeout=timedelta(minutes=5)
    )
