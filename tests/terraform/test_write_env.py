"""`make cloud-env` writes the settings that Terraform hands over, and never over a .env unasked."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from csat.contract.settings import Settings
from tests.terraform.conftest import MODULE

COMMAND = [sys.executable, str(MODULE / "write_env.py")]
VARIABLES = {
    "CSAT_TARGET": "gcp",
    "CSAT_PROJECT_ID": "shop-data-1",
    "CSAT_STAGING_URI": "gs://shop-data-1-csat-staging",
}


def write(path: Path, variables: object, terminal: str = "/nowhere") -> subprocess.CompletedProcess[str]:
    """The command, with nobody at a terminal unless one is given."""
    command = [*COMMAND, str(path), "--terminal", terminal]
    return subprocess.run(command, input=json.dumps(variables), capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def terminal_of_a_person_who_types(answer: str) -> Iterator[str]:
    person, terminal = pty.openpty()
    os.write(person, answer.encode())
    yield os.ttyname(terminal)
    os.close(person)
    os.close(terminal)


def test_write_env_writes_what_settings_read(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    done = write(path, VARIABLES)
    assert (done.returncode, done.stdout) == (0, f"{path} written: 3 settings\n")
    settings = Settings(_env_file=path)
    assert (settings.target, settings.project_id) == ("gcp", "shop-data-1")
    assert settings.staging_uri == "gs://shop-data-1-csat-staging"


def test_write_env_keeps_the_file_to_its_owner_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    before = os.umask(0)
    try:
        assert write(path, VARIABLES).returncode == 0
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_write_env_leaves_a_file_alone_when_nobody_can_be_asked(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("CSAT_KAFKA_PASSWORD=mine\n")
    done = write(path, VARIABLES)
    assert done.returncode == 1
    assert f"{path} is as it was" in done.stderr
    assert path.read_text() == "CSAT_KAFKA_PASSWORD=mine\n"


def test_write_env_leaves_a_file_alone_when_the_answer_is_no(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("CSAT_KAFKA_PASSWORD=mine\n")
    with terminal_of_a_person_who_types("\n") as terminal:
        assert write(path, VARIABLES, terminal).returncode == 1
    assert path.read_text() == "CSAT_KAFKA_PASSWORD=mine\n"


def test_write_env_replaces_a_file_when_the_answer_is_yes(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("CSAT_KAFKA_PASSWORD=mine\n")
    with terminal_of_a_person_who_types("y\n") as terminal:
        assert write(path, VARIABLES, terminal).returncode == 0
    assert "CSAT_PROJECT_ID=shop-data-1\n" in path.read_text()


def test_write_env_refuses_a_name_that_is_no_setting(tmp_path: Path) -> None:
    done = write(tmp_path / ".env", {"CSAT_PROJEKT": "x"})
    assert done.returncode == 1
    assert "csat has no setting CSAT_PROJEKT" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_write_env_refuses_an_empty_output_of_terraform(tmp_path: Path) -> None:
    done = write(tmp_path / ".env", {})
    assert done.returncode == 1
    assert "make cloud-apply" in done.stderr
    assert list(tmp_path.iterdir()) == []
