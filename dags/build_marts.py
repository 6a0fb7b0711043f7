"""# build_marts: landed rows to the tables behind the dashboards

**What it does.** `build_marts` runs `csat marts build`: it finds the answer dates touched since the last build, builds
those dates of every mart with dbt, tests them and moves the watermark. It builds everything up to now, whatever started
it: rows that the stream committed (the asset `survey_responses_landed`), or the clock every 15 minutes. `publish_marts`
then emits the events of the marts' assets; it is skipped where nothing was new. Where the newest row is old, the log of
the build has a warning, and the build goes on. Owner: data platform.

**What red means.** Models that depend on what failed were not built, nothing was published, and the dashboards keep
the last good figures and grow old. No data is lost: the next build that passes takes up all that was missed. A task
tries twice before it turns red.

**What to do**

1. Read the task's log: dbt names the model or the test that failed. `csat_ops.dbt_tests` and `csat_ops.dbt_runs` have
   every test and model of every build.
2. A failed *test* means that the data broke a promise, such as a response that counts twice. Look at its rows before
   you run anything again.
3. BigQuery unreachable, or over its time limit (30 minutes): mend that, then clear the task or wait for the next run.
4. Building the same dates again is safe at any time.
5. The alerts are `dag_failed` and, after 15 minutes, `marts_late`: their sections in `docs/runbook.md` have more.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable

from guard.command import CsatCommandOperator
from guard.defaults import task_defaults
from guard.marts import SURVEY_RESPONSES_LANDED, PublishMartsOperator

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
        task_id="build_marts", command=["marts", "build", "--json"], execution_timeout=timedelta(minutes=30)
    )
    build >> PublishMartsOperator(
        task_id="publish_marts", built_by="build_marts", execution_timeout=timedelta(minutes=5)
    )
