"""How a load job's end is read from BigQuery: from the API's own resources."""

from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core.exceptions import Forbidden, NotFound
from google.cloud import bigquery

from csat.bigquery.client import WarehouseOverQuotaError, WarehouseUnreachableError
from csat.contract.landing import TABLE
from csat.contract.settings import Settings
from spark.load_jobs import BigQueryLoadJobs
from spark.sink import Outcome
from spark.waiting import Waiting

JOB_ID = "csat-q-7-a1"
SETTINGS = Settings(_env_file=None, bigquery_endpoint="http://127.0.0.1:1")
GOOGLE = SimpleNamespace(endpoint="", location="US", bigquery_timeout_seconds=1, table=SETTINGS.table)
LANDING = dict(zip(("projectId", "datasetId", "tableId"), SETTINGS.table("raw", TABLE).split("."), strict=True))


def resource(state, error=None, job_id=JOB_ID, rows="10", table=LANDING):
    status = {"state": state} | ({"errorResult": {"reason": error, "message": "why"}} if error else {})
    return {
        "jobReference": {"projectId": "p", "jobId": job_id, "location": "US"},
        "configuration": {"load": {"destinationTable": table}},
        "status": status,
        "statistics": {"load": {"outputRows": rows}},
    }


class FakeClient:
    """BigQuery's client: what each call for a job returns or raises, and the jobs of each state."""

    def __init__(self, *calls, listed=None):
        self.calls = list(calls)
        self.listed = listed or {}
        self.refusal = None

    def get_job(self, job_id, **options):
        call = self.calls.pop(0)
        if isinstance(call, Exception):
            raise call
        return bigquery.LoadJob.from_api_repr(call, None)

    def list_jobs(self, state_filter, all_users=None, **options):
        if all_users and self.refusal:
            raise self.refusal
        return [
            bigquery.LoadJob.from_api_repr(resource(state_filter.upper(), job_id=name, table=table), None)
            for name, table in self.listed.get(state_filter, {}).items()
        ]


class FakeWarehouse:
    """A warehouse with that client, and a number of landed rows."""

    retry = None

    def __init__(self, client, rows=0, endpoint="http://127.0.0.1:1"):
        self.client, self.row_count = client, rows
        self.settings = Settings(_env_file=None, bigquery_endpoint=endpoint)

    @contextmanager
    def errors(self):
        yield

    def rows(self, sql, **parameters):
        assert parameters == {"batch_id": "q-7"}
        return [{"row_count": self.row_count}]


def load_jobs(*calls, **options):
    waits = []
    waiting = Waiting()
    warehouse: Any = FakeWarehouse(FakeClient(*calls), **options)
    jobs = BigQueryLoadJobs(warehouse, waiting, lambda seconds: waits.append(waiting.current))
    return jobs, waits


def test_a_job_is_waited_for_until_it_ended_however_long_that_takes():
    jobs, waits = load_jobs(*[resource("RUNNING")] * 5_000, resource("DONE"))
    assert jobs.wait(JOB_ID) == (Outcome.DONE, 10, "")
    assert {reason for reason, _ in waits} == {f"load job {JOB_ID}"}
    assert len({since for _, since in waits}) == 1


def test_a_job_that_bigquery_does_not_know_has_not_failed():
    assert load_jobs(NotFound("no"))[0].wait(JOB_ID)[0] is Outcome.MISSING


@pytest.mark.parametrize(("rows", "outcome"), [(0, Outcome.FAILED), (10, Outcome.DONE)])
def test_the_rows_show_how_a_job_ended_when_its_emulator_was_killed(rows, outcome):
    jobs, _ = load_jobs(resource("DONE", "backendError"), rows=rows)
    assert jobs.wait(JOB_ID)[:2] == (outcome, rows)


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [("backendError", Outcome.FAILED), ("quotaExceeded", Outcome.OVER_QUOTA), ("invalid", Outcome.REFUSED)],
)
def test_a_failed_job_of_google_left_no_rows(reason, outcome):
    jobs, _ = load_jobs(resource("DONE", reason), rows=10, endpoint="")
    jobs._settings = GOOGLE
    assert jobs.wait(JOB_ID)[0] is outcome


@pytest.mark.parametrize("kind", [WarehouseUnreachableError, WarehouseOverQuotaError])
def test_an_outage_and_a_quota_are_waited_for_and_named(kind):
    jobs, waits = load_jobs(kind("away."), kind("away."), resource("DONE"))
    assert jobs.wait(JOB_ID)[0] is Outcome.DONE
    assert [reason for reason, _ in waits] == ["BigQuery, which does not respond or refuses for a quota"] * 2


def test_load_jobs_of_earlier_runs_are_waited_for_and_others_are_not():
    jobs, _ = load_jobs(resource("RUNNING"), resource("DONE"), resource("DONE"))
    other = LANDING | {"datasetId": "csat_raw_of_another_stream"}
    jobs._warehouse.client.listed = {
        "pending": {"csat-q-7-a1": LANDING, "someone-else": LANDING},
        "running": {"csat-q-8-a1": LANDING, "csat-r-3-a1": other},
    }
    jobs.wait_for_pending()
    assert jobs._warehouse.client.calls == []


def test_an_account_that_may_not_list_the_jobs_of_others_waits_for_its_own(caplog):
    jobs, _ = load_jobs(resource("DONE"))
    jobs._settings = GOOGLE
    client = jobs._warehouse.client
    client.listed, client.refusal = (
        {"running": {"csat-q-8-a1": LANDING}},
        Forbidden("no permission bigquery.jobs.listAll"),
    )
    jobs.wait_for_pending()
    assert client.calls == []
    assert "Cannot list the load jobs of other accounts (bigquery.jobs.listAll): no permission" in caplog.text


def test_a_quota_that_refuses_the_list_of_jobs_is_no_missing_permission():
    jobs, _ = load_jobs()
    jobs._settings = GOOGLE
    jobs._warehouse.client.refusal = Forbidden("slow down", errors=[{"reason": "rateLimitExceeded"}])
    with pytest.raises(Forbidden):
        jobs._pending()
