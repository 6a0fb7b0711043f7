"""Faults of what the stream needs: its workers, its state files, and BigQuery."""

import json
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil

from csat.bigquery.client import Warehouse
from csat.contract.landing import LOAD_JOB_PREFIX
from csat.contract.settings import Settings
from csat.control.verdict import Policy, Verdict, judge
from csat.local.programs import BIGQUERY, STREAM
from tests.chaos.target import Target
from tests.chaos.topic_faults import stopped_stream
from tests.chaos.waits import wait_for

AWAY_SECONDS = 60
REFUSING_SECONDS = 180
BATCH = 200_000
_IN_A_BATCH_SECONDS = 1


def kill_workers(target: Target) -> None:
    """Kill Spark's Python workers while a batch waits for them."""
    workers = suspended_workers(target.pid(STREAM))
    assert workers, "the driver has no Python workers"
    offsets = target.commits.with_name("offsets")
    wait_for(lambda: _newest(offsets) > _newest(target.commits), "batch in progress", pause_seconds=0.05)
    time.sleep(_IN_A_BATCH_SECONDS)
    for worker in workers:
        with suppress(psutil.NoSuchProcess):
            worker.kill()


def suspended_workers(driver: int) -> list[psutil.Process]:
    """The driver's Python workers, which do nothing from now on."""
    suspended = []
    for process in psutil.Process(driver).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # Spark ends idle workers at any time
            if "pyspark.daemon" in process.cmdline():
                process.suspend()
                suspended.append(process)
    return suspended


def _newest(folder: Path) -> int:
    return max((int(file.name) for file in folder.iterdir() if file.name.isdigit()), default=-1)


def hide_state_files(target: Target) -> None:
    """The folder of the state files is a file for a minute: nothing in it can be read or written."""
    link = Path(target.settings.state_files)
    folder = link.readlink()
    _point(link, Path(os.devnull))
    try:
        time.sleep(AWAY_SECONDS)
    finally:
        _point(link, folder)


def _point(link: Path, target: Path) -> None:
    """Let the link point there, with no moment without it: a missing file would be an empty one."""
    draft = link.with_name(f"{link.name}.draft")
    draft.symlink_to(target)
    draft.replace(link)


def refuse_bigquery(target: Target) -> None:
    """BigQuery answers 503 to each request for three minutes; the guard sees a stream that waits."""
    emulator = psutil.Process(target.pid(BIGQUERY))
    target.supervisor.stop(BIGQUERY)
    wait_for(lambda: not emulator.is_running(), "end of the emulator")
    with _refusing(target.settings):
        time.sleep(REFUSING_SECONDS)
        seen = verdict(target)
    target.supervisor.start(BIGQUERY)
    assert seen is Verdict.WAITING, f"the verdict on the stream was {seen}"


def verdict(target: Target) -> Verdict:
    """The verdict on the stream now."""
    desired_state = target.state_files.desired_state()
    assert desired_state is not None
    return judge(target.state_files.heartbeat(), desired_state, datetime.now(UTC), Policy.of(target.settings))


class _Refusal(BaseHTTPRequestHandler):
    """BigQuery's answer while it is overloaded."""

    def _refuse(self) -> None:
        error = {"reason": "backendError", "message": "Try again later", "domain": "global"}
        body = json.dumps({"error": {"code": 503, "message": "Try again later", "errors": [error]}}).encode()
        self.send_response(503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _refuse  # noqa: N815  # http.server's names

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def _refusing(settings: Settings) -> Iterator[None]:
    with HTTPServer(("127.0.0.1", settings.bigquery_port), _Refusal) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def freeze_large_load(target: Target) -> None:
    """A batch of 200,000 rows waits for a stopped stream; BigQuery freezes for a minute while it loads them."""
    with stopped_stream(target), target.load.paused():
        target.csat("simulate", "--events", str(BATCH), "--seed", str(time.time_ns() % 10_000))
    with Warehouse(target.settings) as warehouse:
        wait_for(lambda: _is_loading(warehouse), "load job that runs", pause_seconds=0.05)
        time.sleep(random.random())  # any point of the load
        with target.frozen(BIGQUERY):
            time.sleep(AWAY_SECONDS)


def _is_loading(warehouse: Warehouse) -> bool:
    jobs = warehouse.client.list_jobs(state_filter="running", timeout=10)
    return any(str(job.job_id).startswith(LOAD_JOB_PREFIX) for job in jobs)
