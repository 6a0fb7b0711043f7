"""Every message is one landing row where several processes write: an executor dies, a task is slow, a worker dies."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from google.cloud.bigquery import LoadJob

from csat.monitoring.completeness import check_completeness
from tests.integration.conftest import Driver, World, wait_for
from tests.integration.stream.topics import staged_files
from tests.local_cluster import master, spark_home

# Two of three messages of a batch's partition are in its first Arrow batch: a worker has its file open meanwhile
BATCH = 30_000
SPECULATION = {
    "spark.speculation": "true",
    "spark.speculation.interval": "100ms",
    "spark.speculation.minTaskRuntime": "500ms",
    "spark.speculation.quantile": "0.5",
}

pytestmark = [pytest.mark.integration, pytest.mark.long]


def test_each_batch_lands_once_when_executors_die_and_copies_of_tasks_run(
    world: World, make_message: Callable[..., bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name, value in spark_home(tmp_path / "home", world.settings, world.python, SPECULATION).items():
        monkeypatch.setenv(name, value)
    changes = {"spark_master": master(executors=2), "max_offsets_per_trigger": BATCH}
    cluster = World(world.settings.model_copy(update=changes), world.warehouse)
    for partition in (0, 1):
        cluster.send(*[make_message()] * (3 * BATCH // 2), partition=partition)
    staged = staged_files(world)
    driver = cluster.start_driver("--catch-up")

    killed = writer(cluster, driver, batch=0)
    kill_family(executor_of(killed))
    slow = writer(cluster, driver, batch=1)
    slow.suspend()
    wait_for(lambda: driver.log.read_text().count("Landed") == 2, 60, "batch without the suspended worker")
    kill_family(writer(cluster, driver, batch=2))

    assert driver.exit_code() == 0
    log = driver.log.read_text()
    assert "Lost executor" in log
    assert "TaskKilled" in log  # the suspended worker's: the copy of its task was first
    assert "Python worker exited unexpectedly" in log
    assert [log.count(f"Landed {BATCH} rows"), log.count("Landed")] == [3, 3]
    found = check_completeness(world.warehouse)
    assert (found.lost, found.duplicated, found.pending) == (0, 0, 0)
    assert [(check.rows, check.min_offset) for check in found.partitions] == [(3 * BATCH // 2, 0)] * 2
    uris = loaded_files(cluster)
    assert len(uris) == len(set(uris)) == 6
    assert staged_files(world) == staged


def loaded_files(world: World) -> list[str]:
    """The files of all load jobs into the world's landing table."""
    jobs = [job for job in world.warehouse.client.list_jobs() if isinstance(job, LoadJob)]
    return [
        uri for job in jobs if job.destination.dataset_id == world.settings.dataset("raw") for uri in job.source_uris
    ]


def writer(world: World, driver: Driver, batch: int) -> psutil.Process:
    """The Python worker of an executor that is writing a file of this batch."""
    return wait_for(lambda: _writer(world, driver, batch), 120, f"worker that writes batch {batch}", pause=0.02)


def _writer(world: World, driver: Driver, batch: int) -> psutil.Process | None:
    [*batches] = (world.settings.staging_root / "csat-staging").glob(f"*/{batch}")
    for process in psutil.Process(driver.process.pid).children(recursive=True) if batches else ():
        try:
            if any(Path(file.path).is_relative_to(batches[0]) for file in process.open_files()):
                return process
        except psutil.Error:
            continue
    return None


def executor_of(worker: psutil.Process) -> psutil.Process:
    """The JVM that gives the worker its tasks."""
    return next(one for one in worker.parents() if "CoarseGrainedExecutorBackend" in " ".join(one.cmdline()))


def kill_family(process: psutil.Process) -> None:
    """End a process and all that it started, at once."""
    for one in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            one.kill()
