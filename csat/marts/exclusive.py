"""What every build of the marts needs, and no two have at once: a lock in the state folder, and the lease."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from csat.bigquery import landing_migration
from csat.bigquery.client import Warehouse
from csat.bigquery.tables import create_ops_tables
from csat.contract.settings import Settings
from csat.marts.build_lock import build_lock
from csat.marts.dbt_process import Progress
from csat.marts.lease import Lease, held_lease
from csat.marts.run_dbt import dbt_folder


@dataclass(frozen=True)
class ExclusiveBuild:
    """The only build. `lock` is the file descriptor that dbt inherits. `progress` raises LeaseLostError."""

    warehouse: Warehouse
    lease: Lease
    lock: int
    progress: Progress


@contextmanager
def exclusive_build(settings: Settings, progress: Progress, wait_seconds: float) -> Iterator[ExclusiveBuild]:
    """Wait for other builds, on this machine and then on others, each for at most `wait_seconds`. Raises CsatError."""
    holder = _holder(settings)
    with Warehouse(settings) as warehouse:
        lease = Lease(warehouse)

        def pass_on(line: str) -> None:
            progress(line)
            lease.check()

        with build_lock(dbt_folder(settings), lease.token, holder, progress, wait_seconds) as lock:
            _create_tables(warehouse)
            with held_lease(lease, holder, lock.ended_token, progress, wait_seconds):
                yield ExclusiveBuild(warehouse, lease, lock.descriptor, pass_on)


def _holder(settings: Settings) -> str:
    """The task of Airflow, or the process, and its machine."""
    task, _, _ = settings.result_id.partition(":")
    return f"{task or f'process {os.getpid()}'} on {socket.gethostname()}"


def _create_tables(warehouse: Warehouse) -> None:
    """Create the tables of the ops dataset on this machine; Terraform creates those on Google Cloud.

    Raises CsatError if the landing table must be migrated first.
    """
    landing_migration.require_current(warehouse)
    if warehouse.settings.is_local:
        create_ops_tables(warehouse)
