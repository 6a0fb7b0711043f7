"""DataprocBackend against a local server with Google's APIs: real clients, real messages, no cloud."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.cloud.dataproc_v1 import types

from csat.airflow.backends.base import BackendError, Process
from csat.airflow.backends.dataproc import DataprocBackend
from csat.airflow.backends.dataproc_batch import process_of
from csat.contract.settings import Settings
from csat.contract.version import code_version
from csat.control.object_store import md5
from csat.control.release import Release, release_uri
from tests.dags.fake_dataproc import PARENT, Cloud, State, dataproc
from tests.dags.google_server import RefusalError
from tests.dags.google_settings import make_settings


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of a cloud whose code bucket is a folder."""
    folder = tmp_path / "code"
    deploy(folder)
    return make_settings(code_uri=folder.as_uri())


def deploy(folder: Path, **changes: Any) -> None:
    """Put this version's release into a folder, as `make cloud-deploy` does."""
    path = Path(release_uri(str(folder), code_version()))
    path.parent.mkdir(parents=True, exist_ok=True)
    files = {name: path.with_name(name) for name in ("job.py", "packages.tar.gz", "a.jar")}
    for name, file in files.items():
        file.write_text(name)
    job, packages, jar = (file.as_uri() for file in files.values())
    sums = {file.as_uri(): md5(name.encode()) for name, file in files.items()}
    release = Release(job=job, packages=packages, jars=(jar,), md5=sums).model_copy(update=changes)
    path.write_text(release.model_dump_json())


@pytest.fixture
def stream(cloud: Cloud, settings: Settings) -> Iterator[DataprocBackend]:
    with dataproc(cloud, lambda seconds: None) as make:
        yield make(settings)


def test_start_creates_a_batch_that_is_found_by_its_labels(stream: DataprocBackend, cloud: Cloud) -> None:
    stream.start("t1")
    request = cloud.requests[0]
    assert (request.parent, request.batch_id, request.request_id) == (PARENT, "csat-t1", "t1")
    assert dict(request.batch.labels) == {"stream": "csat", "token": "t1"}
    assert stream.state() == Process(True, None, "PENDING, csat-t1", "t1")


def test_a_batch_runs_the_code_that_is_installed_here_as_the_streams_account_and_for_thirteen_days(
    stream: DataprocBackend, cloud: Cloud, settings: Settings
) -> None:
    stream.start("t1")
    batch, code = cloud.requests[0].batch, f"{settings.code_uri}/stream/{code_version()}"
    assert batch.pyspark_batch.main_python_file_uri == f"{code}/job.py"
    assert list(batch.pyspark_batch.args) == ["--token", "t1"]
    assert list(batch.pyspark_batch.archive_uris) == [f"{code}/packages.tar.gz#packages"]
    assert list(batch.pyspark_batch.jar_file_uris) == [f"{code}/a.jar"]
    assert batch.runtime_config.version == "3.0"
    execution = batch.environment_config.execution_config
    assert (execution.service_account, execution.ttl.total_seconds()) == ("stream@shop", 13 * 86_400)
    kinds = types.AuthenticationConfig.AuthenticationType
    assert execution.authentication_config.user_workload_authentication_type is kinds.SERVICE_ACCOUNT
    assert execution.subnetwork_uri == ""


@pytest.mark.parametrize(
    ("state", "process"),
    [
        (State.RUNNING, Process(True, None, "RUNNING, csat-old", "old")),
        (State.CANCELLING, Process(True, None, "CANCELLING, csat-old", "old")),
        (State.SUCCEEDED, Process(False, 0, "SUCCEEDED, csat-old", "old")),
        (State.FAILED, Process(False, 1, "FAILED, csat-old", "old")),
        (State.CANCELLED, Process(False, 143, "CANCELLED, csat-old", "old")),
    ],
)
def test_state_is_that_of_the_newest_batch_with_the_streams_label(
    stream: DataprocBackend, cloud: Cloud, state: State, process: Process
) -> None:
    cloud.add("older", State.FAILED)
    cloud.add("old", state)
    cloud.add("other", State.RUNNING, stream="other")
    assert stream.state() == process


def test_state_before_the_first_batch_is_that_none_ran(stream: DataprocBackend) -> None:
    assert stream.state() == Process(False, None, "no batch has the label stream=csat")


def test_state_of_a_batch_that_met_a_quota_names_the_fix(stream: DataprocBackend, cloud: Cloud) -> None:
    cloud.add("old", State.FAILED, message="Insufficient 'CPUS' quota. Requested 12.0, available 4.0.")
    detail = stream.state().detail
    assert "Requested 12.0" in detail
    assert "CSAT_DATAPROC_EXECUTORS" in detail


def test_start_first_stops_a_batch_that_still_runs(stream: DataprocBackend, cloud: Cloud) -> None:
    old = cloud.add("old", State.RUNNING)
    stream.start("t1")
    assert old.state is State.CANCELLED
    assert cloud.calls.index("cancel old") < cloud.calls.index("create")


def test_a_batch_that_exits_within_the_grace_period_is_not_cancelled(stream: DataprocBackend, cloud: Cloud) -> None:
    old = cloud.add("old", State.RUNNING)
    cloud.at_calls["list"] = lambda: setattr(old, "state", State.SUCCEEDED)
    stream.stop(60)
    assert old.state is State.SUCCEEDED
    assert "cancel old" not in cloud.calls


def test_stop_cancels_after_the_grace_period_and_may_be_called_twice(stream: DataprocBackend, cloud: Cloud) -> None:
    stream.start("t1")
    stream.stop(5)
    stream.stop(5)
    assert cloud.calls.count("cancel t1") == 1
    assert stream.state() == Process(False, 143, "CANCELLED, csat-t1", "t1")


def test_a_batch_that_ends_before_it_can_be_cancelled_is_no_error(stream: DataprocBackend, cloud: Cloud) -> None:
    old = cloud.add("old", State.RUNNING)
    cloud.refusals["cancel"] = RefusalError(grpc.StatusCode.FAILED_PRECONDITION, "it has ended")
    cloud.at_calls["cancel old"] = lambda: setattr(old, "state", State.SUCCEEDED)
    stream.stop(1)
    assert "cancel old" in cloud.calls


def test_a_batch_that_outlives_its_cancellation_is_an_error_that_names_the_command(
    stream: DataprocBackend, cloud: Cloud
) -> None:
    cloud.add("old", State.RUNNING)
    cloud.state_after_cancel = State.CANCELLING
    with pytest.raises(BackendError, match="gcloud dataproc batches list --region=europe-west1"):
        stream.stop(1)


@pytest.mark.parametrize("state", [State.PENDING, State.RUNNING, State.FAILED])
def test_a_batch_that_another_triggerer_created_for_this_token_is_found_and_left_alone(
    stream: DataprocBackend, cloud: Cloud, state: State
) -> None:
    old, batch = cloud.add("old", State.RUNNING), cloud.add("t1", state)
    stream.start("t1")
    assert (old.state, batch.state) == (State.CANCELLED, state)
    assert stream.state() == process_of(batch)
    assert [name.rpartition("/")[2] for name in cloud.batches] == ["csat-old", "csat-t1"]


@pytest.mark.parametrize(
    ("code", "text", "fix"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "Quota exceeded: CPUS", "CSAT_DATAPROC_EXECUTORS"),
        (grpc.StatusCode.PERMISSION_DENIED, "dataproc.batches.create denied", "roles/dataproc.serverlessEditor"),
        (grpc.StatusCode.UNAUTHENTICATED, "no login", "GOOGLE_APPLICATION_CREDENTIALS"),
        (grpc.StatusCode.NOT_FOUND, "no such region", "CSAT_REGION"),
        (grpc.StatusCode.INVALID_ARGUMENT, "bad subnetwork", "CSAT_SUBNETWORK"),
        (grpc.StatusCode.UNAVAILABLE, "down", "check the network"),
    ],
)
def test_a_refusal_is_an_error_that_names_the_fix(
    stream: DataprocBackend, cloud: Cloud, code: grpc.StatusCode, text: str, fix: str
) -> None:
    cloud.refusals["create"] = RefusalError(code, text)
    with pytest.raises(BackendError, match=text) as raised:
        stream.start("t1")
    assert fix in str(raised.value)
    assert cloud.calls.count("create") == 1, "retried within one poll"


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (
            RefreshError("invalid_grant: Bad Request", {"error": "invalid_grant"}),
            "run `gcloud auth application-default",
        ),
        (RefreshError("unavailable", retryable=True), "check the network"),
        (TransportError("Connection reset"), "check the network"),
    ],
)
def test_a_login_that_fails_is_an_error_that_names_the_fix(
    settings: Settings, error: GoogleAuthError, fix: str
) -> None:
    def refuse(settings: Settings) -> None:
        raise error

    with pytest.raises(BackendError) as raised:
        DataprocBackend(settings, refuse).state()
    assert raised.value.message == f"the batches cannot be listed: {type(error).__name__}: {error.args[0]}"
    assert raised.value.fix.startswith(fix)


@pytest.mark.timeout(30)
def test_an_unresponsive_cloud_is_an_error_in_time(cloud: Cloud, stream: DataprocBackend) -> None:
    cloud.refusals["list"] = RefusalError(grpc.StatusCode.DEADLINE_EXCEEDED)
    stream._settings = stream._settings.model_copy(update={"dataproc_timeout_seconds": 0.2})
    with pytest.raises(BackendError, match=r"no response within 0\.2 s \(CSAT_DATAPROC_TIMEOUT_SECONDS\)"):
        stream.state()


def test_a_release_that_is_not_deployed_is_an_error_and_nothing_is_stopped(
    stream: DataprocBackend, cloud: Cloud, settings: Settings
) -> None:
    stream._settings = settings.model_copy(update={"code_uri": settings.code_uri + "-other"})
    cloud.add("old", State.RUNNING)
    with pytest.raises(BackendError, match=r"release\.json is missing: make cloud-deploy"):
        stream.start("t1")
    assert cloud.calls == []


@pytest.mark.parametrize("name", ["job.py", "packages.tar.gz", "a.jar"])
@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda file: file.write_bytes(b"another"), "is not the file that was deployed"),
        (Path.unlink, "is missing"),
    ],
    ids=["changed", "deleted"],
)
def test_a_file_that_is_not_the_one_that_was_deployed_is_not_run(
    stream: DataprocBackend, cloud: Cloud, settings: Settings, name: str, change: Callable[[Path], Any], error: str
) -> None:
    old = cloud.add("old", State.RUNNING)
    change(Path(settings.code_uri.removeprefix("file://"), "stream", code_version(), name))
    with pytest.raises(BackendError, match=rf"{name} {error}"):
        stream.start("t1")
    assert (cloud.requests, old.state) == ([], State.RUNNING)


def test_a_file_of_which_the_release_has_no_sum_is_not_run(
    stream: DataprocBackend, cloud: Cloud, tmp_path: Path
) -> None:
    deploy(tmp_path / "code", md5={})
    with pytest.raises(BackendError, match=r"job\.py is not the file that was deployed: its MD5 is .+, not in release"):
        stream.start("t1")
    assert cloud.requests == []


def test_log_tail_is_the_end_of_the_output_of_the_newest_batch(stream: DataprocBackend, cloud: Cloud) -> None:
    cloud.add("old", State.FAILED)
    cloud.lines = ["one", "two", "three"]
    assert stream.log_tail(2) == ["two", "three"]
    assert 'resource.labels.batch_id="csat-old"' in cloud.log_filter


def test_log_tail_that_may_not_be_read_is_an_error_that_names_the_role(stream: DataprocBackend, cloud: Cloud) -> None:
    cloud.add("old", State.FAILED)
    cloud.refusals["logs"] = RefusalError(grpc.StatusCode.PERMISSION_DENIED, "denied")
    with pytest.raises(BackendError, match=r"roles/logging\.viewer"):
        stream.log_tail(2)
