"""Defaults for the tasks of every DAG."""

from datetime import timedelta
from typing import Any

from csat.airflow.alerts import alert_failure, resolve_alert
from csat.clients.airflow_api import PIPELINE_POOL

RETRY_DELAY = timedelta(seconds=30)


def task_defaults(*, retries: int, pool: str = PIPELINE_POOL) -> dict[str, Any]:
    """`default_args` of a DAG: owner, pool, retries, and the alert after the last of them."""
    return {
        "owner": "data-platform",
        "pool": pool,
        "retries": retries,
        "retry_delay": RETRY_DELAY,
        "on_failure_callback": alert_failure,
        "on_success_callback": resolve_alert,
    }
