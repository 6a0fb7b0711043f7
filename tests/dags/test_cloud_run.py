"""csat in a Cloud Run job, against a local server with Google's API."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.models.asset import AssetEvent
from airflow.sdk.exceptions import AirflowException
from airflow.utils.db import initdb
from airflow.utils.session import create_session

from csat.airflow import alerts, command
from csat.airflow.backends.base import BackendError
from csat.airflow.command import CsatCommandOperator
from csat.contract.settings import ROOT, Settings
from tests.dags.fake_cloud_run import JOB, LOG, RUN, Cloud, cloud_run
from tests.dags.google_server import RefusalError

# Airflow's own timeout of a task takes the signal that the one of a test would take
by_airflow = pytest.mark.timeout(300, method="thread")


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


@pytest.fixture(scope="module")
def database() -> None:
    """Airflow's tables."""
    initdb()


def run_of(dag_id: str) -> Any:
    """A run of a DAG by Airflow itself, after its end. No task is tried again: that would be half a minute later."""
    dag = DagBag(str(ROOT / "dags" / f"{dag_id}.py")).dags[dag_id]
    for task in dag.tasks:
        task.retries = 0
    return dag.test()


def events_of(run: Any) -> dict[str, Any]:
    """What the events of a run say, by asset."""
    with create_session() as session:
        return {event.name: event.extra for event in session.query(AssetEvent).filter_by(source_run_id=run.run_id)}


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


@by_airflow
def test_a_build_in_the_job_is_published_by_its_dag_run(cloud: Cloud, database: None) -> None:
    cloud.document = {"status": "succeeded", "build_id": "b1", "touched_dates": ["2026-11-20"]}
    run = run_of("build_marts")
    assert (run.state, cloud.arguments) == ("success", [["marts", "build", "--json"]])
    events = events_of(run)
    assert sorted(events) == ["agent_leaderboard", "category_ranking", "response_series"]
    assert {(extra["build_id"], *extra["touched_dates"]) for extra in events.values()} == {("b1", "2026-11-20")}


@by_airflow
def test_a_build_of_nothing_new_is_not_published(cloud: Cloud, database: None) -> None:
    cloud.document = {"status": "nothing new", "build_id": "b1"}
    run = run_of("build_marts")
    assert (run.state, events_of(run)) == ("success", {})


@by_airflow
def test_a_build_without_a_result_fails_its_dag_run_and_sends_the_alert(cloud: Cloud, database: None) -> None:
    run = run_of("build_marts")
    assert (run.state, events_of(run)) == ("failed", {})
    build, alert = cloud.arguments
    assert build == ["marts", "build", "--json"]
    assert (alert[:3], alert[4:]) == (["alerts", "raise", "dag_failed"], ["--about", "build_marts"])
    assert alert[3].startswith("build_marts: csat marts build --json kept no result")


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
