"""# replay_rejected: sends rejected messages to Kafka again

**What it does.** Reads the rejected messages that you select by reason and time from `csat_raw.survey_responses` and
sends their bytes to Kafka again, oldest first, each once, with the origin in the header `csat-replayed-from`. Trigger
it manually, after the cause of the rejection is fixed. Owner: data platform.

**What red means.** Kafka or BigQuery was unreachable, or refused. What was sent until then is recorded in
`csat_ops.replays`; the next run resumes after it.

**What to do**

1. Read the end of the task's log: it names the setting to check.
2. Clear the task. A response that lands twice counts once in the marts.
3. The alert is `dag_failed`: its section in `docs/runbook.md` has more.

Messages that are rejected again show up as new rejections: `csat rejected count` says for which reason.
"""

from datetime import timedelta

from csat.airflow.defaults import task_defaults  # isort: skip  # first: it checks Airflow's version
from airflow.sdk import DAG, Param

from csat.airflow.command import CsatCommandOperator

with DAG(
    dag_id="replay_rejected",
    description="Sends rejected messages to Kafka again",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(retries=1),
    tags=["tier:2", "part:stream"],
    params={
        "reason": Param(
            "unsupported schema_version",
            type=["null", "string"],
            description="Only messages whose rejection reason starts with this text; empty: all.",
        ),
        "since": Param(
            None,
            type=["null", "string"],
            format="date-time",
            pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?$",  # Airflow ignores the format
            description="Only messages that the stream read since this time; empty: all.",
        ),
        "limit": Param(
            10_000, type="integer", minimum=1, maximum=1_000_000, description="Maximum number of messages to send."
        ),
    },
):
    CsatCommandOperator(
        task_id="replay_rejected",
        command=[
            *["rejected", "replay", "--json"],
            *["--reason", "{{ params.reason or '' }}", "--since", "{{ params.since or '2000-01-01' }}"],
            *["--limit", "{{ params.limit }}"],
        ],
        execution_timeout=timedelta(minutes=30),
    )
