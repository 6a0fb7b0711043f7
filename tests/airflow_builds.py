"""Airflow's builds of the marts, held while somebody else builds them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from csat.clients.airflow_api import call
from csat.contract.settings import Settings

_DAG = "dags/build_marts"
# A paused DAG's tasks end, its runs do not: nothing more of them is scheduled
_TASKS = f"{_DAG}/dagRuns/~/taskInstances?state=running&state=queued"
_LONGEST_SECONDS = 240


@contextmanager
def held_builds(settings: Settings) -> Iterator[None]:
    """No build of Airflow's runs or begins while it is open. Raises TimeoutError where one does not end."""
    call(settings, "PATCH", _DAG, {"is_paused": True})
    try:
        deadline = time.monotonic() + _LONGEST_SECONDS
        while call(settings, "GET", _TASKS)["task_instances"]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"a build of Airflow's runs after {_LONGEST_SECONDS} s still")
            time.sleep(0.5)
        yield
    finally:
        call(settings, "PATCH", _DAG, {"is_paused": False})
