"""The platform on Google Cloud from deploy to published marts, with the cloud as processes of this machine."""

import asyncio
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from airflow.sdk.exceptions import TaskDeferred

from csat.airflow import alerts, command
from csat.airflow.alerts import alert_failure
from csat.airflow.backends import dataproc as backends
from csat.airflow.command import CsatCommandOperator
from csat.airflow.marts import MARTS, PublishMartsOperator
from csat.airflow.operator import StreamGuardOperator, StreamRunFailedError
from csat.airflow.trigger import StreamHealthTrigger
from csat.bigquery.client import Warehouse
from csat.cloud import deploy as deploys
from csat.cloud import effects
from csat.contract.polling import poll
from csat.contract.settings import ROOT, Settings, environment, get_settings
from csat.control.object_store import open_store
from csat.control.state_files import StateFiles
from csat.control.verdict import Verdict
from csat.local.ports import free_ports
from tests.dags.fake_cloud_run import JOB, cloud_run
from tests.dags.fake_dataproc import State, dataproc
from tests.dags.google_processes import BIN, Batches, Job, Processes
from tests.dags.google_server import RefusalError
from tests.services import READY
from tests.storage_server import Store, storage_of_this_process

CLOUD = {
    "target": "gcp",
    "project_id": "shop",
    "region": "europe-west1",
    "code_uri": "gs://shop-code",
    "state_files_uri": "gs://shop-documents/stream",
    "stream_service_account": "stream@shop",
    "kafka_bootstrap_servers": "127.0.0.1:9092",
    "command_job": JOB,
    "heartbeat_seconds": "1",
}


@dataclass
class Platform:
    """The cloud, what it stores, and the stack whose broker and emulator it uses."""

    batches: Batches
    store: Store
    stack: Settings
    job: Job

    def simulate(self, *arguments: str) -> None:
        """Send responses."""
        variables = environment(**self.stack.as_environment())
        subprocess.run([BIN / "csat", "simulate", *arguments], env=variables, check=True, timeout=120)

    def rows(self, role: Any, table: str, columns: str) -> list[dict[str, Any]]:
        """Rows of a table in BigQuery."""
        with Warehouse(self.stack) as warehouse:
            return warehouse.rows(f"select {columns} from `{self.stack.table(role, table)}`")

    def lands(self, count: int) -> bool:
        """Whether that many messages are in BigQuery in time, and each is one row."""
        columns = "count(*) as n, count(distinct kafka_offset * 100 + kafka_partition) as offsets"
        rows = [{"n": count, "offsets": count}]
        return poll(lambda: self.rows("raw", "survey_responses", columns) == rows, 120, 1)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Cloud Storage, for this process too."""
    with storage_of_this_process(monkeypatch) as found:
        yield found


@pytest.fixture
def deployed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """This code in its bucket; the packages, which no driver of this machine needs, are a file without content."""
    monkeypatch.setattr(deploys, "build_wheel", lambda folder, version: folder)
    monkeypatch.setattr(deploys, "fill_packages", lambda packages, wheel: packages.mkdir())
    outputs = {"env_vars": {"value": {"CSAT_CODE_URI": CLOUD["code_uri"]}}}
    given = effects.Effects(effects.upload, effects.write, effects.command, effects.output_of, list)
    deploys.deploy(outputs, given, print, is_dry=False)


@pytest.fixture
def batches(tmp_path: Path, store: Store, deployed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Batches]:
    """The region's batches, behind the backend of an Airflow with the settings of Composer."""
    for name, value in {**CLOUD, "checkpoint_uri": str(tmp_path / "checkpoint")}.items():
        monkeypatch.setenv(f"CSAT_{name.upper()}", value)
    get_settings.cache_clear()
    processes = Processes(tmp_path, tmp_path / "state", store)
    found = Batches(processes)
    with dataproc(found, time.sleep) as make:
        monkeypatch.setattr(backends, "DataprocBackend", make)
        yield found
    processes.end()
    get_settings.cache_clear()


@pytest.fixture
def stack(tmp_path: Path) -> Settings:
    """The stack's settings, without the variables of the cloud."""
    return Settings(_env_file=None, state_dir=tmp_path / "state", project_id="shop", **free_ports())


@pytest.fixture
def platform(stack: Settings, batches: Batches, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """The batches with a broker and an emulator, and the job of csat's commands."""
    variables = environment(**stack.as_environment())  # every setting: none of the cloud's is left
    with subprocess.Popen(
        [BIN / "python", "-m", "tests.services"], cwd=ROOT, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as services:
        assert services.stdout
        assert services.stdout.readline().decode().strip() == READY
        monkeypatch.setenv("CSAT_KAFKA_BOOTSTRAP_SERVERS", stack.bootstrap_servers)
        monkeypatch.setenv("CSAT_BIGQUERY_ENDPOINT", stack.endpoint)
        get_settings.cache_clear()
        of_job = {name: value for name, value in environment().items() if name.startswith("CSAT_")}
        job = Job(batches.processes, of_job)
        with cloud_run(job, lambda seconds: time.sleep(1)) as make:
            for module in (command, alerts):
                monkeypatch.setattr(module, "CommandRun", make)
            yield Platform(batches, store, stack, job)
        batches.processes.end()


def started() -> StreamHealthTrigger:
    """The trigger of a run of `run_stream`."""
    with pytest.raises(TaskDeferred) as raised:
        StreamGuardOperator(task_id="guard_stream").execute({})
    trigger = raised.value.trigger
    assert isinstance(trigger, StreamHealthTrigger)
    return trigger


def end_of(trigger: StreamHealthTrigger) -> dict[str, str]:
    """What the trigger fires with when its stream run ends."""

    async def first() -> dict[str, str]:
        return {key: value async for event in trigger.run() for key, value in event.payload.items()}

    return asyncio.run(first())


@contextmanager
def stream_runs(platform: Platform) -> Iterator[Callable[[StreamHealthTrigger], Future[dict[str, str]]]]:
    """Runs triggers beside the test; they end with the processes."""
    with ThreadPoolExecutor() as pool:
        try:
            yield lambda trigger: pool.submit(end_of, trigger)
        finally:
            platform.batches.processes.end()


def finish(event: dict[str, str]) -> dict[str, str]:
    """The end of the task of `run_stream`."""
    return StreamGuardOperator(task_id="guard_stream").finish({}, event)


def published(build: dict[str, Any]) -> dict[str, Any]:
    """The events of the marts, after the task that publishes a build."""
    events = {mart: SimpleNamespace(extra={}) for mart in MARTS}
    task = SimpleNamespace(xcom_pull=lambda task_ids: build)
    PublishMartsOperator(task_id="publish_marts", built_by="build_marts").execute({"ti": task, "outlet_events": events})
    return {mart.name: event.extra for mart, event in events.items()}


def fail_run_stream() -> None:
    """What Airflow calls when the task of `run_stream` failed since the stream cannot land a batch."""
    task = SimpleNamespace(dag_id="run_stream", task_id="guard_stream", start_date=None)
    alert_failure({"ti": task, "exception": StreamRunFailedError("batch 7 failed", Verdict.POISON_BATCH)})


def policy_matches(log: str) -> bool:
    """Whether the policy of terraform/monitoring.tf on critical alerts finds a line of the job's log."""
    text = (ROOT / "terraform/monitoring.tf").read_text()
    [pattern] = re.findall(r'cloud_run_job.+textPayload=~\\"(.+?)\\"', text)
    return any(re.search(pattern, line) for line in log.splitlines())


@pytest.mark.timeout(600)
def test_responses_reach_the_published_marts_through_batches_that_are_recycled(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.simulate("--days", "2", "--events", "40")
    with stream_runs(platform) as run:
        first = started()
        ended = run(first)
        assert platform.lands(40)

        built = CsatCommandOperator(task_id="build_marts", command=["marts", "build", "--json"]).execute({})
        assert (built["status"], built["response_count"]) == ("succeeded", 40)
        assert {event["build_id"] for event in published(built).values()} == {built["build_id"]}
        assert platform.rows("marts", "fct_survey_responses", "count(*) as n") == [{"n": 40}]

        fail_run_stream()
        raised = [{"alert_key": "poison_batch", "severity": "critical", "status": "opened"}]
        assert poll(lambda: platform.rows("ops", "alerts", ", ".join(raised[0])) == raised, 60, 1)
        assert policy_matches(platform.job.log())

        monkeypatch.setenv("CSAT_MAX_AGE_HOURS", "0.001")
        get_settings.cache_clear()
        again = run(StreamHealthTrigger(**first.serialize()[1]))  # in another triggerer, for which the driver is old
        assert finish(again.result(120))["verdict"] == finish(ended.result(120))["verdict"] == "recycle"
        assert poll(lambda: platform.batches.states() == [State.SUCCEEDED], 30, 1)

        monkeypatch.delenv("CSAT_MAX_AGE_HOURS")
        get_settings.cache_clear()
        platform.simulate("--rate", "50", "--events", "5", "--seed", "2")
        second = started()
        ended = run(second)
        assert platform.lands(45)
        asyncio.run(second.on_kill())
        assert finish(ended.result(120))["verdict"] == "stopped"
        assert poll(lambda: platform.batches.states() == [State.SUCCEEDED] * 2, 30, 1)
    assert platform.store.generations["shop-documents/stream/heartbeat.json"] > 10


@pytest.mark.parametrize(
    ("code", "text", "fix"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "Quota exceeded: CPUS", "request a higher quota in the console"),
        (grpc.StatusCode.PERMISSION_DENIED, "dataproc.batches.create denied", "roles/dataproc.serverlessEditor"),
    ],
)
def test_a_refusal_of_google_is_in_the_error_of_the_task(
    batches: Batches, code: grpc.StatusCode, text: str, fix: str
) -> None:
    batches.refusals["create"] = RefusalError(code, text)
    with pytest.raises(StreamRunFailedError, match=text) as raised:
        finish(end_of(started()))
    assert fix in str(raised.value)
    assert "The next run starts a new driver automatically." in str(raised.value)


def test_a_release_that_changed_in_its_bucket_starts_no_batch(batches: Batches, store: Store) -> None:
    job = next(name for name in store.objects if name.endswith("stream_job.py"))
    generation = store.generations[job]
    store.write(job, b"print('another job')")
    with pytest.raises(StreamRunFailedError, match=r"stream_job\.py is not the file that was deployed"):
        finish(end_of(started()))
    assert (batches.requests, store.generations[job]) == ([], generation + 1)


def test_cloud_storage_is_opened_with_the_plain_class_of_gcsfs() -> None:
    import gcsfs.core

    assert gcsfs.GCSFileSystem is not gcsfs.core.GCSFileSystem
    opened, path = open_store("gs://shop-code/a.jar")
    assert (type(opened), path) == (gcsfs.core.GCSFileSystem, "shop-code/a.jar")


def test_a_state_file_that_is_written_is_another_generation(batches: Batches, store: Store) -> None:
    batches.refusals["create"] = RefusalError(grpc.StatusCode.PERMISSION_DENIED, "denied")
    end_of(started())
    desired = StateFiles(CLOUD["state_files_uri"]).desired_state()
    assert desired is not None
    assert store.generations["shop-documents/stream/desired_state.json"] == 1
