"""# rebuild_marts: rebuilds dates, or everything

**What it does.** Runs `csat marts rebuild`. Trigger it manually after a model or a definition has changed, or to repair
data. With *from* and *to* it rebuilds those response dates, and all leaderboards whose periods contain them. Without,
it rebuilds every table from its first date: that reads and writes everything, so it waits for an approval first (under
*Required Actions* in the web UI; it is skipped if rejected, and fails after 12 hours without a response). *Selection*
takes dbt's selection syntax, such as `agent_leaderboard+`. Owner: data platform.

**What red means.** dbt failed, or nobody approved. Tables that were not reached are unchanged; each table is replaced
atomically.

**What to do**

1. Read the end of the task's log: dbt names the model or the test that failed.
2. Clear the task, or trigger the DAG again: any date is safe to rebuild.
3. The alert is `dag_failed`: its section in `docs/runbook.md` has more.
"""

from datetime import timedelta

from csat.airflow.defaults import task_defaults  # isort: skip  # first: it checks Airflow's version
from airflow.sdk import DAG, Param

from csat.airflow.approval import ApprovalUnlessOperator
from csat.airflow.command import CsatCommandOperator
from csat.airflow.marts import PublishMartsOperator
from csat.clients.airflow_api import MARTS_POOL

with DAG(
    dag_id="rebuild_marts",
    description="Rebuilds dates of the marts, or all of them",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(retries=1),
    tags=["tier:2", "part:marts"],
    params={
        "selection": Param(
            None,
            type=["null", "string"],
            pattern=r"^[A-Za-z0-9_+@:.* ]*$",
            description="Only these models, in dbt's selection syntax; empty: all.",
        ),
        "from": Param(
            None, type=["null", "string"], format="date", description="First response date; empty: all dates."
        ),
        "to": Param(None, type=["null", "string"], format="date", description="Last response date; empty: all dates."),
    },
):
    approve = ApprovalUnlessOperator(
        task_id="approve_full_refresh",
        unless="from",
        subject="Rebuild the marts from the first date?",
        body="Models: {{ params.selection or 'all' }}. All dates are read and written, and billed, once.",
        response_timeout=timedelta(hours=12),
        retries=0,
    )
    rebuild = CsatCommandOperator(
        task_id="rebuild_marts",
        command=[
            *["marts", "rebuild", "--json", "--select", "{{ params.selection or '' }}"],
            *["--from", "{{ params.from or '' }}", "--to", "{{ params.to or '' }}"],
        ],
        pool=MARTS_POOL,
        execution_timeout=timedelta(hours=2),
    )
    publish = PublishMartsOperator(
        task_id="publish_marts", built_by="rebuild_marts", execution_timeout=timedelta(minutes=5)
    )
    approve >> rebuild >> publish
