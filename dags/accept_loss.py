"""# accept_loss: lets the stream continue after records that expired

**What it does.** The alert `records_expired` stops the stream: Kafka deleted records before they landed. This DAG shows
which (partition, offsets, count), waits for an approval (under *Required Actions* in the web UI; the loss is not
accepted if rejected, and the task fails after 12 hours without a response), and records exactly what was shown in
`csat_ops.accepted_losses`. The next run of the stream starts after it. Trigger it manually, with the reason; restore
the records instead if a copy exists. Owner: data platform.

**What red means.** There is nothing to accept, nobody approved, or Kafka or BigQuery was unreachable. Nothing was
accepted then.

**What to do**

1. Read the end of the task's log.
2. Trigger a new run: it shows what waits for a decision now. Records that expire after the approval stop the stream
   again, and need a run of their own.
3. `records_expired` and `dag_failed` have sections in `docs/runbook.md`.
"""

from datetime import timedelta

from csat.airflow.defaults import task_defaults  # isort: skip  # first: it checks Airflow's version
from airflow.sdk import DAG, Param

from csat.airflow.approval import LossApprovalOperator
from csat.airflow.command import CsatCommandOperator

with DAG(
    dag_id="accept_loss",
    description="Lets the stream continue after records that expired before they landed",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(retries=1),
    tags=["tier:1", "part:stream"],
    params={
        "reason": Param(
            "down for longer than the retention",
            type="string",
            minLength=1,
            description="Why the records are lost; it is recorded with the loss.",
        ),
    },
):
    show = CsatCommandOperator(
        task_id="show_loss",
        command=["stream", "show-loss", "--json", "--as", "{{ run_id }}"],
        execution_timeout=timedelta(minutes=10),
    )
    approve = LossApprovalOperator(
        task_id="approve_loss",
        shown_id="{{ run_id }}",
        subject="Accept that these records are lost?",
        body="They will never be in BigQuery. Reason: {{ params.reason }}",
        response_timeout=timedelta(hours=12),
        retries=0,
    )
    accept = CsatCommandOperator(
        task_id="accept_loss",
        command=[
            *["stream", "accept-loss", "--json", "--yes", "--shown", "{{ run_id }}"],
            *["--reason", "{{ params.reason }}"],
        ],
        execution_timeout=timedelta(minutes=10),
    )
    show >> approve >> accept
