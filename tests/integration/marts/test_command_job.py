"""Every command of the DAGs in the Cloud Run job: as a user without rights, on a read-only file system.

It has the image's environment and the variables that Terraform gives the job, and the state files are in Cloud Storage,
a server of this machine. `STAND_INS` and `of_emulator` are what differs; and the user may read what others may not (the
interpreter may be in somebody's home folder). Only the state folder can be written.
"""

import hashlib
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from csat.contract.settings import ROOT, Settings
from csat.control.state_files import StateFiles
from tests.dag_commands import DAG_COMMANDS, ID_HASH
from tests.image import image_environment
from tests.integration.marts.conftest import Marts, at, survey_response
from tests.storage_server import Store, storage_of_this_process
from tests.terraform_variables import WEBHOOK, names_in, values

pytestmark = pytest.mark.integration

USER = "10001"  # of docker/Dockerfile
TODAY = datetime.now(UTC).date()
REFUSED = re.compile(r"Traceback|PermissionError|Permission denied|Read-only file system")
NOWHERE = "127.0.0.1:1"  # nothing listens there
OF_JOB = {**values(), WEBHOOK: f"http://{NOWHERE}"}
STAND_INS = {
    "CSAT_KAFKA_BOOTSTRAP_SERVERS": NOWHERE,
    "NO_GCE_CHECK": "true",  # there is no account of Google's
    "PYTHONPATH": "/srv/csat",  # below /srv, as this checkout may be in a folder that nobody else may enter
}
IN_BIGQUERY = {
    "build_marts.build_marts",
    "reconcile_marts.reconcile_marts",
    "rebuild_marts.rebuild_marts",
    "erase_customer.count_messages",
    "erase_customer.erase_customer",
    "maintain.clean_scratch",
}
IN_KAFKA = {
    "maintain.prove_completeness",
    "check_stream_health.check_stream_health",
    "accept_loss.show_loss",
    "accept_loss.accept_loss",
    "replay_rejected.replay_rejected",
    "backfill_history.backfill_history",
}
SHELL = f"""set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /var/lib
mkdir /var/lib/csat
mount --bind "$1" /var/lib/csat
mount -o remount,bind,ro /
mount -t tmpfs -o mode=755 tmpfs /srv
mkdir /srv/csat
mount --bind "$2" /srv/csat
mount -o remount,bind,ro /srv/csat
cd /srv/csat
shift 2
exec setpriv --reuid {USER} --regid {USER} --clear-groups --no-new-privs \\
    --inh-caps=-all,+dac_read_search --ambient-caps=-all,+dac_read_search -- "$@"
"""
Job = Callable[..., "subprocess.CompletedProcess[str]"]


def of_emulator(settings: Settings) -> dict[str, str]:
    """What differs where BigQuery must answer: dbt has an emulator locally only, where no checkpoint is in a bucket."""
    return {
        "CSAT_TARGET": "local",
        "CSAT_CHECKPOINT_URI": "",
        "CSAT_PROJECT_ID": settings.project_id,
        "CSAT_BIGQUERY_ENDPOINT": settings.endpoint,
    }


@pytest.fixture(scope="module")
def world(make_marts: Callable[[], Marts]) -> Marts:
    """A landing table with responses of two days."""
    made = make_marts()
    made.land([survey_response(number, at(TODAY - timedelta(days=days))) for number, days in enumerate([1, 1, 2])])
    return made


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """Cloud Storage, for this process too."""
    with pytest.MonkeyPatch.context() as monkeypatch, storage_of_this_process(monkeypatch) as found:
        yield found


@pytest.fixture(scope="module")
def state_files(store: Store) -> StateFiles:
    """The state files of the job."""
    return StateFiles(OF_JOB["CSAT_STATE_FILES_URI"])


@pytest.fixture(scope="module")
def state(world: Marts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The job's state folder: empty but for the login of the emulator, which Google's own clients do not need."""
    folder: Path = tmp_path_factory.mktemp("job") / "state"
    shutil.copytree(world.settings.state / "secrets", folder / "secrets")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, int(USER), int(USER))
    return folder


@pytest.fixture(scope="module")
def job(store: Store, state: Path) -> Job:
    """Runs csat as the job does."""
    if os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("setpriv")):
        pytest.fail("nothing was checked: a read-only file system for one process needs root, unshare and setpriv")
    assert image_environment()["CSAT_STATE_DIR"] == "/var/lib/csat"

    def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", SHELL, "sh", str(state), str(ROOT), "csat", *arguments],
            cwd=ROOT,
            env={**image_environment(), **OF_JOB, **STAND_INS, **store.variables, **variables},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert not REFUSED.search(done.stdout + done.stderr), done.stderr
        return done

    return run


def test_the_job_has_the_variables_that_terraform_gives_it() -> None:
    assert OF_JOB.keys() == names_in("outputs.tf", "commands.tf")


@pytest.mark.parametrize("name", [name for name in DAG_COMMANDS if name not in IN_KAFKA])
def test_a_command_of_a_dag_succeeds_and_keeps_its_result(
    job: Job, world: Marts, state_files: StateFiles, name: str
) -> None:
    of_a_case = hashlib.sha256(str(world.landed[0]["case_id"]).encode()).hexdigest()
    command = [of_a_case if word == ID_HASH else word for word in DAG_COMMANDS[name]]
    result_id = f"{name}:{uuid.uuid4().hex}"
    done = job(*command, CSAT_RESULT_ID=result_id, **(of_emulator(world.settings) if name in IN_BIGQUERY else {}))
    assert done.returncode == 0, done.stderr
    kept = state_files.command_result(result_id)
    assert kept is not None
    assert kept.document


@pytest.mark.parametrize("name", sorted(IN_KAFKA))
def test_a_command_of_a_dag_says_that_kafka_refuses(job: Job, name: str) -> None:
    done = job(*DAG_COMMANDS[name])
    assert done.returncode == 1
    assert f"Kafka refuses connections at {NOWHERE}" in done.stdout + done.stderr


def test_an_alert_of_a_task_is_kept_until_the_task_succeeds(job: Job, world: Marts, state_files: StateFiles) -> None:
    about, emulator = ("--about", "build_marts"), of_emulator(world.settings)
    failed = job("alerts", "raise", "dag_failed", "it fails", *about, **emulator)
    assert failed.returncode == 0, failed.stderr
    assert "warning: dag_failed (build_marts): it fails (docs/runbook.md#dag_failed)" in failed.stderr.splitlines()
    assert "build_marts" in {alert.about for alert in state_files.alert_state().open_alerts}

    succeeded = job("alerts", "resolve", "dag_failed", "the task succeeded again", *about, **emulator)
    assert succeeded.returncode == 0, succeeded.stderr
    assert "recovered: dag_failed (build_marts): the task succeeded again" in succeeded.stderr.splitlines()
    assert "build_marts" not in {alert.about for alert in state_files.alert_state().open_alerts}
