"""What the tasks of every DAG have in common."""

from datetime import timedelta
from typing import Any

from csat.airflow_api import PIPELINE_POOL
from guard.alerts import alert_failure, end_alert

RETRY_DELAY = timedelta(seconds=30)


def task_defaults(*, retries: int, pool: str = PIPELINE_POOL) -> dict[str, Any]:
    """`default_args` of a DAG: owner, pool, retries, and who is told of a failure after the last of them."""
    return {
        "owner": "data-platform",
        "pool": pool,
        "retries": retries,
        "retry_delay": RETRY_DELAY,
        "on_failure_callback": alert_failure,
        "on_success_callback": end_alert,
    }
