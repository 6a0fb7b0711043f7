"""The pauses of the client of load jobs, without real time."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core.exceptions import Conflict, Forbidden
from google.auth.exceptions import RefreshError

from csat.bigquery.client import Warehouse, WarehouseError
from csat.contract.settings import Settings
from spark.load_jobs import BigQueryLoadJobs
from spark.sink import Outcome

RUNNING = SimpleNamespace(state="RUNNING")
DONE = SimpleNamespace(state="DONE", error_result=None, output_rows=3)
OFFLINE = ConnectionError("connection refused")


class Bigquery:
    """Gives each call the next response, and the last one forever; its clock runs only during a sleep."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.responses: list[Any] = []
        self.slept: list[float] = []
        monkeypatch.setattr("tenacity.time.monotonic", lambda: sum(self.slept))

    def get_job(self, *_: Any, **__: Any) -> Any:
        response = self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]
        if isinstance(response, Exception):
            raise response
        return response

    load_table_from_uri = get_job

    def jobs(self, *responses: Any, **settings: Any) -> BigQueryLoadJobs:
        self.responses = list(responses)
        warehouse = Warehouse(Settings(_env_file=None, **settings))
        warehouse._client = self  # type: ignore[assignment]
        return BigQueryLoadJobs(warehouse, sleep=self.slept.append)


@pytest.fixture
def bigquery(monkeypatch: pytest.MonkeyPatch) -> Bigquery:
    return Bigquery(monkeypatch)


def test_a_call_is_repeated_with_growing_pauses_while_bigquery_is_unreachable(
    bigquery: Bigquery, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    assert bigquery.jobs(*[OFFLINE] * 6, DONE).find("csat-q-7-a1")
    assert bigquery.slept == [1, 2, 4, 8, 10, 10]
    assert "does not answer" in caplog.messages[0]
    assert caplog.messages[0].endswith("Retrying in 1 s.")
    assert caplog.messages[4].endswith("Retrying in 10 s.")


def test_a_login_that_does_not_answer_is_waited_for(bigquery: Bigquery) -> None:
    away = RefreshError("the token service is unavailable", retryable=True)
    assert bigquery.jobs(*[away] * 3, DONE, target="gcp", project_id="shop").find("csat-q-7-a1")
    assert bigquery.slept == [1, 2, 4]


def test_a_refused_call_is_not_repeated(bigquery: Bigquery) -> None:
    with pytest.raises(WarehouseError, match="BigQuery refused: denied"):
        bigquery.jobs(Forbidden("denied"), DONE).find("csat-q-7-a1")
    assert bigquery.slept == []


def test_a_job_that_was_submitted_before_is_not_an_error(bigquery: Bigquery) -> None:
    bigquery.jobs(OFFLINE, Conflict("it exists")).submit("csat-q-7-a1", ["gs://a/b.parquet"])
    assert bigquery.slept == [1]


def test_wait_polls_with_growing_pauses_until_the_job_is_done(bigquery: Bigquery) -> None:
    jobs = bigquery.jobs(*[RUNNING] * 12, DONE, target="gcp", project_id="shop")
    assert jobs.wait("csat-q-7-a1") == (Outcome.DONE, 3, "")
    assert [round(pause, 3) for pause in bigquery.slept[:4]] == [0.05, 0.075, 0.113, 0.169]
    assert bigquery.slept[-1] == 2
