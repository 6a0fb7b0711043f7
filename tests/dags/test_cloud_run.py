"""csat in a Cloud Run job, against a local server with Google's API."""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from csat.airflow import alerts, command
from csat.airflow.backends.base import BackendError
from csat.airflow.command import CsatCommandOperator
from csat.airflow.marts import MARTS, PublishMartsOperator
from csat.contract.settings import Settings
from tests.dags.fake_cloud_run import JOB, LOG, RUN, Cloud, cloud_run
from tests.dags.google_server import RefusalError


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    """The cloud, and an Airflow whose settings name its job."""
    found = Cloud()
    with cloud_run(found, lambda seconds: None) as make:
        settings = Settings(_env_file=None, command_job=JOB, state_dir=tmp_path)
        found.state_files = settings.state_files
        for module in (command, alerts):
            monkeypatch.setattr(module, "CommandRun", make)
            monkeypatch.setattr(module, "get_settings", lambda: settings)
        yield found


def operator(*arguments: str) -> CsatCommandOperator:
    return CsatCommandOperator(task_id="run", command=arguments)


def test_the_arguments_reach_csat_in_the_job_and_the_task_waits_for_its_end(cloud: Cloud) -> None:
    assert operator("marts", "build").execute({}) is None
    assert (cloud.arguments, cloud.variables, cloud.polls) == ([["marts", "build"]], {}, 3)


def test_the_result_of_a_command_comes_through_the_state_files(cloud: Cloud) -> None:
    cloud.document = {"status": "succeeded", "build_id": "b1"}
    assert operator("marts", "build", "--json").execute({}) == cloud.document


def test_a_result_of_another_run_is_not_taken_for_this_ones(cloud: Cloud) -> None:
    cloud.document = {"status": "succeeded"}
    operator("marts", "build", "--json").execute({})
    cloud.document = None
    with pytest.raises(AirflowException, match="kept no result"):
        operator("marts", "build", "--json").execute({})


@pytest.mark.parametrize("status", ["succeeded", "nothing new"])
def test_a_build_in_the_job_and_its_publication_are_one_dag_run(cloud: Cloud, status: str) -> None:
    cloud.document = {"status": status, "build_id": "b1"}
    with DAG(dag_id="builds", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
        build = CsatCommandOperator(task_id="build_marts", command=["marts", "build", "--json"])
        publication = PublishMartsOperator(task_id="publish_marts", built_by="build_marts")
    results = {"build_marts": build.execute({})}
    events = {mart: SimpleNamespace(extra={}) for mart in MARTS}
    task = SimpleNamespace(xcom_pull=lambda task_ids: results[task_ids])
    with nullcontext() if status == "succeeded" else pytest.raises(AirflowSkipException):
        publication.execute({"ti": task, "outlet_events": events})
    assert {event.extra.get("build_id") for event in events.values()} == {"b1" if status == "succeeded" else None}


def test_a_run_that_fails_fails_the_task_with_the_link_to_its_log(cloud: Cloud) -> None:
    cloud.is_well = False
    with pytest.raises(AirflowException, match=f"csat marts build failed; its log: {LOG}"):
        operator("marts", "build").execute({})


def test_a_short_outage_of_the_api_does_not_fail_the_task(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    work = operator("marts", "build")
    run_job = cloud.run_job

    def then_silent(request: Any) -> Any:
        response = run_job(request)
        cloud.refusals = [RefusalError(grpc.StatusCode.UNAVAILABLE)] * 19
        return response

    monkeypatch.setattr(cloud, "run_job", then_silent)
    work.execute({})
    assert (len(cloud.arguments), cloud.polls) == (1, 3)


def test_a_job_that_may_not_be_run_is_an_error_that_names_the_role(cloud: Cloud) -> None:
    cloud.refusals = [RefusalError(grpc.StatusCode.PERMISSION_DENIED, "denied")]
    with pytest.raises(BackendError, match=r"csat marts was not started.*roles/run\.jobsExecutorWithOverrides"):
        operator("marts", "build").execute({})
    assert cloud.cancelled == []


def test_a_killed_task_cancels_its_run(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    work = operator("marts", "build")
    cloud.refusals = []
    get_execution = cloud.get_execution

    def kill(request: Any) -> Any:
        work.on_kill()
        return get_execution(request)

    monkeypatch.setattr(cloud, "get_execution", kill)
    work.execute({})
    assert cloud.cancelled[0] == RUN


def test_an_alert_is_sent_by_a_run_that_nobody_waits_for(cloud: Cloud) -> None:
    alerts._call(Settings(_env_file=None, command_job=JOB), ["alerts", "raise", "dag_failed", "it failed"])
    assert (cloud.arguments, cloud.polls) == ([["alerts", "raise", "dag_failed", "it failed"]], 0)
