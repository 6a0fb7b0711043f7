"""# erase_customer: makes the platform forget a customer

**What it does.** Counts the messages that name a case, a response or an order, waits for an approval (under *Required
Actions* in the web UI; nothing is erased if rejected, and the task fails after 12 hours without a response), erases
what they say of the customer in the landing table and the rejected messages, and rebuilds their dates in the marts.
Trigger it manually. It takes the SHA-256 of the id, so that neither Airflow nor a log has the id:
`csat erase --case ID --dry-run` prints it as *id hash*; `docs/privacy.md` has more. It cannot be undone. Owner: data
platform.

**What red means.** No message names the id, nobody approved, or the build of the dates failed. In the last case the
landing table is erased, and readers still see the marts before.

**What to do**

1. Read the end of the task's log.
2. Clear the task: a repeated erasure completes an interrupted one.
3. The alert is `dag_failed`: its section in `docs/runbook.md` has more.
"""

from datetime import timedelta

from csat.airflow.defaults import task_defaults  # isort: skip  # first: it checks Airflow's version
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, Param

from csat.airflow.command import CsatCommandOperator
from csat.airflow.marts import PublishMartsOperator
from csat.clients.airflow_api import MARTS_POOL

_COMMAND = ["erase", "--json", "--{{ params.id_of }}", "{{ params.id_hash }}"]
_FOUND = "ti.xcom_pull(task_ids='count_messages')"

with DAG(
    dag_id="erase_customer",
    description="Erases what messages say of a customer, after an approval",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(retries=1),
    tags=["tier:2", "part:marts"],
    params={
        "id_of": Param("case", type="string", enum=["case", "response", "order"], description="What the id is of."),
        "id_hash": Param(
            "0" * 64,
            type="string",
            pattern="^[0-9a-f]{64}$",
            description="SHA-256 of the id: of its 32 digits in lower case, without hyphens.",
        ),
        "reason": Param(
            "the customer asked for it",
            type="string",
            minLength=1,
            description="Why; it is recorded with the place of each message, and must not name the customer.",
        ),
    },
):
    count = CsatCommandOperator(
        task_id="count_messages", command=[*_COMMAND, "--dry-run"], execution_timeout=timedelta(minutes=10)
    )
    approve = ApprovalOperator(
        task_id="approve_erasure",
        subject="Erase this customer, for good?",
        body=f"{{{{ {_FOUND}['accepted'] }}}} accepted and {{{{ {_FOUND}['rejected'] }}}} rejected messages name the "
        "{{ params.id_of }} {{ params.id_hash }}. Reason: {{ params.reason }}",
        response_timeout=timedelta(hours=12),
        retries=0,
    )
    erase = CsatCommandOperator(
        task_id="erase_customer",
        command=[*_COMMAND, "--yes", "--reason", "{{ params.reason }}"],
        pool=MARTS_POOL,
        execution_timeout=timedelta(hours=2),
    )
    publish = PublishMartsOperator(
        task_id="publish_marts", built_by="erase_customer", execution_timeout=timedelta(minutes=5)
    )
    count >> approve >> erase >> publish
