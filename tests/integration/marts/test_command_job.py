"""csat in the Cloud Run job: with the image's environment, as a user without rights, on a read-only file system.

Only the state folder can be written. Two things differ from the job: the emulator is BigQuery, and the user may read
what others may not (the interpreter may be in somebody's home folder).
"""

import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from csat.contract.settings import ROOT
from csat.control.state_files import StateFiles
from tests.image import image_environment
from tests.integration.marts.conftest import Marts, at, survey_response

pytestmark = pytest.mark.integration

USER = "10001"  # of docker/Dockerfile
TODAY = datetime.now(UTC).date()
REFUSED = re.compile(r"Traceback|PermissionError|Permission denied|Read-only file system")
# $1 is the folder that stands for the state folder, $2 the checkout; the rest is the command
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


@pytest.fixture(scope="module")
def world(make_marts: Callable[[], Marts]) -> Marts:
    """A landing table with responses of two days."""
    made = make_marts()
    made.land([survey_response(number, at(TODAY - timedelta(days=days))) for number, days in enumerate([1, 1, 2])])
    return made


@pytest.fixture(scope="module")
def state(world: Marts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The job's state folder: empty but for the login of the emulator, which Google's own clients do not need."""
    folder: Path = tmp_path_factory.mktemp("job") / "state"
    shutil.copytree(world.settings.state / "secrets", folder / "secrets")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, int(USER), int(USER))
    return folder


@pytest.fixture(scope="module")
def job(world: Marts, state: Path) -> Job:
    """Runs csat as the job does."""
    if os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("setpriv")):
        pytest.fail("nothing was checked: a read-only file system for one process needs root, unshare and setpriv")
    assert image_environment()["CSAT_STATE_DIR"] == "/var/lib/csat"
    # Below /srv, as this checkout may be in a folder that nobody else may enter
    of_job = {
        "PYTHONPATH": "/srv/csat",
        "CSAT_BIGQUERY_ENDPOINT": world.settings.endpoint,
        "CSAT_DATASET_PREFIX": world.settings.dataset_prefix,
    }

    def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", SHELL, "sh", str(state), str(ROOT), "csat", *arguments],
            cwd=ROOT,
            env=image_environment() | of_job | variables,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert not REFUSED.search(done.stdout + done.stderr), done.stderr
        return done

    return run


@pytest.mark.parametrize(
    "command",
    [
        ("marts", "build", "--json"),
        ("marts", "reconcile", "--json"),
        ("marts", "rebuild", "--from", str(TODAY - timedelta(days=2)), "--to", str(TODAY), "--json"),
    ],
    ids=lambda command: command[1],
)
def test_a_command_of_the_marts_succeeds_and_keeps_its_result(job: Job, state: Path, command: tuple[str, ...]) -> None:
    result_id = f"dag.{command[1]}:{uuid.uuid4().hex}"
    done = job(*command, CSAT_RESULT_ID=result_id)
    assert done.returncode == 0, done.stderr
    kept = StateFiles(str(state / "stream")).command_result(result_id)
    assert kept is not None
    assert kept.document


def test_an_alert_is_sent_and_kept(job: Job, state: Path) -> None:
    done = job(
        *("alerts", "raise", "dag_failed", "it fails", "--severity", "critical", "--about", "build_marts"),
    )
    assert done.returncode == 0, done.stderr
    assert "critical: dag_failed (build_marts): it fails (docs/runbook.md#dag_failed)" in done.stderr.splitlines()
    [alert] = StateFiles(str(state / "stream")).alert_state().open_alerts
    assert alert.about == "build_marts"


def test_checks_say_what_they_cannot_reach(job: Job) -> None:
    assert "Kafka" in job("check", "completeness").stderr
