"""# backfill_history: simulate past days

**What it does.** Sends simulated survey answers of the last days to Kafka, at full speed. They take the ordinary way:
the stream lands them, the next build of the marts takes them up. For demonstrations and load tests: the answers are
made up. Run it by hand. Owner: data platform.

**What red means.** Kafka could not be reached, or refused. What was sent before stays.

**What to do**

1. Read the end of the task's log: it names the setting to look at.
2. Clear the task, or start it again: it sends new answers from the beginning, it does not continue.
3. The alert is `dag_failed`: its section in `docs/runbook.md` has more.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from guard.command import CsatCommandOperator
from guard.defaults import task_defaults

with DAG(
    dag_id="backfill_history",
    description="Simulates past days at full speed",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    # Each try sends answers of its own: none is made without being asked for
    default_args=task_defaults(retries=0),
    tags=["tier:3", "part:stream"],
    params={
        "days": Param(7, type="integer", minimum=1, maximum=365, description="How many days back from now."),
        "events": Param(
            2_771, type="integer", minimum=1, maximum=5_000_000, description="How many answers over all days."
        ),
        "seed": Param(1, type="integer", minimum=0, description="The same seed makes the same agents."),
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
