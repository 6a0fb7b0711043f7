"""# rebuild_marts: build dates, or everything, anew

**What it does.** Runs `csat marts rebuild`, by hand: after a model or a definition has changed, or to mend what was
spoiled. With *from* and *to* it builds those answer dates, and all boards whose windows hold them. Without, it builds
every table from its first date: that reads and writes everything, so it waits for an approval first (under *Required
Actions* in the web UI; rejected, it is skipped; unanswered for 12 hours, it fails). *Selection* takes dbt's words, such
as `agent_leaderboard+`. Owner: data platform.

**What red means.** dbt failed, or nobody approved. The tables that were not reached are as they were; each table is
replaced at once, never by halves.

**What to do**

1. Read the end of the task's log: dbt names the model or the test that failed.
2. Clear the task, or start it again: any date may be built twice.
3. The alert is `dag_failed`: its section in `docs/runbook.md` has more.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from guard.approval import ApprovalUnlessOperator
from guard.command import CsatCommandOperator
from guard.defaults import task_defaults
from guard.marts import PublishMartsOperator

_DATE = r"^(\d{4}-\d{2}-\d{2})?$"

with DAG(
    dag_id="rebuild_marts",
    description="Builds dates of the marts, or all of them, anew",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(retries=1),
    tags=["tier:2", "part:marts"],
    params={
        "selection": Param(
            "",
            type="string",
            pattern=r"^[A-Za-z0-9_+@:.* ]*$",
            description="Only these models, in dbt's words; empty: all.",
        ),
        "from": Param("", type="string", pattern=_DATE, description="First answer date; empty: all dates."),
        "to": Param("", type="string", pattern=_DATE, description="Last answer date; empty: all dates."),
    },
):
    approve = ApprovalUnlessOperator(
        task_id="approve_full_refresh",
        unless="from",
        subject="Build the marts anew from the first date?",
        body="Models: {{ params.selection or 'all' }}. All dates are read and written, and billed, once.",
        response_timeout=timedelta(hours=12),
        retries=0,
    )
    rebuild = CsatCommandOperator(
        task_id="rebuild_marts",
        command=[
            *["marts", "rebuild", "--json", "--select", "{{ params.selection }}"],
            *["--from", "{{ params.from }}", "--to", "{{ params.to }}"],
        ],
        execution_timeout=timedelta(hours=2),
    )
    publish = PublishMartsOperator(
        task_id="publish_marts", built_by="rebuild_marts", execution_timeout=timedelta(minutes=5)
    )
    approve >> rebuild >> publish
