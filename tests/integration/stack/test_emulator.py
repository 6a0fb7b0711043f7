"""The emulator that is killed while a job runs, and started again by supervisord."""

import os
import signal
from contextlib import suppress

from google.cloud.bigquery import QueryJob

from csat.bigquery.client import Warehouse, WarehouseError
from csat.contract.settings import Settings
from csat.local.programs import BIGQUERY
from csat.local.supervisord import Supervisord
from tests.integration.conftest import wait_for

ENDLESS = """
select count(*) from unnest(generate_array(1, 1000000)) as a, unnest(generate_array(1, 1000000)) as b where a + b < 0
"""


def test_a_job_that_runs_when_the_emulator_is_killed_ends_with_an_error(services: Settings) -> None:
    with Warehouse(services) as warehouse:
        client, supervisor = warehouse.client, Supervisord(services)
        job_id = client.query(ENDLESS, location=services.location, timeout=30).job_id

        def job_in(state: str) -> QueryJob | None:
            with suppress(WarehouseError), warehouse.errors():
                job = client.get_job(job_id, location=services.location, retry=warehouse.retry, timeout=5)
                return job if job.state == state else None  # type: ignore[return-value]  # the id is a query's
            return None

        wait_for(lambda: job_in("RUNNING"), 30, "running job")
        os.kill(int(supervisor.programs()[BIGQUERY]["pid"]), signal.SIGKILL)
        ended = wait_for(lambda: job_in("DONE"), 60, "job that has ended")
    assert ended.error_result["reason"] == "backendError"
