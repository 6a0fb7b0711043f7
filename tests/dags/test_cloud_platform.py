"""The platform on Google Cloud from deploy to published marts, with the cloud as processes of this machine."""

import asyncio
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
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
from csat.cloud import deploy as deploys
from csat.cloud import effects
from csat.contract.polling import poll
from csat.contract.settings import ROOT, Settings, environment, get_settings
from csat.control.object_store import open_store
from csat.control.state_files import StateFiles
from csat.control.verdict import Verdict
from csat.local.ports import free_ports
from tests.dags.fake_cloud_run import cloud_run
from tests.dags.fake_dataproc import State, dataproc
from tests.dags.google_environment import CLOUD, COMPOSER, STATE_FILES, of_job
from tests.dags.google_processes import BIN, Batches, Job, Platform, Processes
from tests.dags.google_server import RefusalError
from tests.http_server import serving
from tests.services import READY
from tests.storage_server import Store, storage_of_this_process
from tests.terraform_variables import names_in

End = Future[dict[str, str]]
Run = Callable[[StreamHealthTrigger], End]


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
    outputs = {"env_vars": {"value": CLOUD}}
    given = effects.Effects(effects.upload, effects.write, effects.command, effects.output_of, list)
    deploys.deploy(outputs, given, print, is_dry=False)


@pytest.fixture
def batches(
    tmp_path: Path, stack: Settings, store: Store, deployed: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Batches]:
    """The region's batches, behind the backend of an Airflow with the settings of Composer, which polls faster here."""
    for name, value in {**COMPOSER, "CSAT_HEARTBEAT_SECONDS": "1"}.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    processes = Processes(tmp_path, stack, store)
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
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The address of a webhook, and what was posted to it."""
    posts: list[dict[str, Any]] = []

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

    with serving(Webhook) as port:
        yield f"http://127.0.0.1:{port}", posts


@pytest.fixture
def platform(
    stack: Settings,
    batches: Batches,
    store: Store,
    webhook: tuple[str, list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Platform]:
    """The batches with a broker and an emulator, and the job of csat's commands."""
    variables = environment(**stack.as_environment())  # every setting: none of the cloud's is left
    with subprocess.Popen(
        [BIN / "python", "-m", "tests.services"], cwd=ROOT, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as services:
        assert services.stdout
        assert services.stdout.readline().decode().strip() == READY
        address, posts = webhook
        job = Job(batches.processes, of_job(address))
        with cloud_run(job, lambda seconds: time.sleep(1)) as make:
            for module in (command, alerts):
                monkeypatch.setattr(module, "CommandRun", make)
            yield Platform(batches, store, stack, job, posts)
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
def stream_runs(platform: Platform) -> Iterator[Run]:
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


def build_and_publish(platform: Platform, count: int) -> None:
    """What `build_marts` does, of so many responses."""
    built = CsatCommandOperator(task_id="build_marts", command=["marts", "build", "--json"]).execute({})
    assert (built["status"], built["response_count"]) == ("succeeded", count)
    assert {event["build_id"] for event in published(built).values()} == {built["build_id"]}
    assert platform.rows("marts", "fct_survey_responses", "count(*) as n") == [{"n": count}]


def alert_somebody(platform: Platform) -> None:
    """A failed `run_stream`: its alert is in BigQuery, in the log that a policy reads, and posted once."""
    fail_run_stream()
    raised = {"alert_key": "poison_batch", "severity": "critical", "status": "opened"}
    assert poll(lambda: platform.rows("ops", "alerts", ", ".join(raised)) == [raised], 180, 1)
    assert policy_matches(platform.job.log())
    assert [{name: post[name] for name in raised} for post in platform.posts] == [raised]


def recycle(
    platform: Platform, first: StreamHealthTrigger, run: Run, ended: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of a batch that is too old, for the triggerer that started it and for another one."""
    monkeypatch.setenv("CSAT_MAX_AGE_HOURS", "0.001")
    get_settings.cache_clear()
    again = run(StreamHealthTrigger(**first.serialize()[1]))  # in another triggerer, for which the driver is old
    assert finish(again.result(300))["verdict"] == finish(ended.result(300))["verdict"] == "recycle"
    assert poll(lambda: platform.batches.states() == [State.SUCCEEDED], 90, 1)
    monkeypatch.delenv("CSAT_MAX_AGE_HOURS")
    get_settings.cache_clear()


def outlive(platform: Platform, ended: End) -> None:
    """The end of a batch that nobody recycled: by Google, after 13 days, while messages land."""
    platform.batches.let_pass(timedelta(days=12))
    assert platform.batches.states()[-1] is State.RUNNING
    platform.simulate("--rate", "50", "--events", "5", "--seed", "3")
    platform.batches.let_pass(timedelta(days=1))
    with pytest.raises(StreamRunFailedError, match=r"dead or frozen .* CANCELLED"):
        finish(ended.result(300))


@pytest.mark.timeout(1_200)
def test_responses_reach_the_published_marts_through_batches_that_end(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.simulate("--days", "2", "--events", "40")
    with stream_runs(platform) as run:
        first = started()
        ended = run(first)
        assert platform.lands(40)
        build_and_publish(platform, 40)
        alert_somebody(platform)
        recycle(platform, first, run, ended, monkeypatch)

        platform.simulate("--rate", "50", "--events", "5", "--seed", "2")
        ended = run(started())
        assert platform.lands(45)
        outlive(platform, ended)

        third = started()
        ended = run(third)
        assert platform.lands(50)
        asyncio.run(third.on_kill())
        assert finish(ended.result(300))["verdict"] == "stopped"
        ends = [State.SUCCEEDED, State.CANCELLED, State.SUCCEEDED]
        assert poll(lambda: platform.batches.states() == ends, 90, 1)
    assert len(platform.posts) == 1
    assert platform.store.generations[f"{STATE_FILES.removeprefix('gs://')}/heartbeat.json"] > 10


def test_the_environments_are_those_that_terraform_gives() -> None:
    assert COMPOSER.keys() == names_in("outputs.tf", "composer.tf")
    assert of_job("address").keys() == names_in("outputs.tf", "commands.tf")


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
    assert StateFiles(STATE_FILES).desired_state() is not None
    assert store.generations[f"{STATE_FILES.removeprefix('gs://')}/desired_state.json"] == 1
