"""# backfill_history: simulate past days

**What it does.** Sends simulated survey responses of the last days to Kafka, at full speed. They take the normal path:
the stream lands them, the next build of the marts includes them. For demonstrations and load tests: the responses are
made up. Trigger it manually. Owner: data platform.

**What red means.** Kafka was unreachable, or refused. Messages sent before that remain.

**What to do**

1. Read the end of the task's log: it names the setting to check.
2. Clear the task, or trigger the DAG again: it sends new responses from the beginning and does not resume.
3. The alert is `dag_failed`: its section in `docs/runbook.md` has more.
"""

from datetime import timedelta

from csat.airflow.defaults import task_defaults  # isort: skip  # first: it checks Airflow's version
from airflow.sdk import DAG, Param

from csat.airflow.command import CsatCommandOperator

with DAG(
    dag_id="backfill_history",
    description="Simulates past days at full speed",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    # Each try sends new responses, so there is no automatic retry
    default_args=task_defaults(retries=0),
    tags=["tier:3", "part:stream"],
    params={
        "days": Param(7, type="integer", minimum=1, maximum=365, description="Number of past days."),
        "events": Param(
            2_771, type="integer", minimum=1, maximum=5_000_000, description="Number of responses over all days."
        ),
        "seed": Param(1, type="integer", minimum=0, description="The same seed generates the same agents."),
    },
):
    CsatCommandOperator(
        task_id="backfill_history",
        command=[
            *["simulate", "--json", "--days", "{{ params.days }}"],
            *["--events", "{{ params.events }}", "--seed", "{{ params.seed }}"],
        ],
        execution_timeout=timedelta(hours=1),
    )
