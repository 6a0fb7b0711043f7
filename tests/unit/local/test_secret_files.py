"""Secrets are their owner's, whatever the umask is and whatever was there before."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from csat.bigquery import login as bigquery_login
from csat.contract.settings import Settings, SettingsError
from csat.local import kafka, supervisord
from csat.local.secret_files import bigquery_token, private_folder, secret, write_private


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """The widest one."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_files_with_secrets_are_private(tmp_path: Path) -> None:
    write_private(tmp_path / "a" / "file", "text")
    secret(tmp_path, "name")
    assert mode(tmp_path / "a") == mode(tmp_path / "secrets") == 0o700
    assert mode(tmp_path / "a" / "file") == mode(tmp_path / "secrets" / "name") == 0o600


def test_a_file_that_was_wider_is_replaced_by_a_private_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch(0o666)
    write_private(path, "text")
    assert (mode(path), path.read_text()) == (0o600, "text")


def test_a_state_folder_that_was_wider_is_narrowed(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    assert mode(tmp_path / "state") == 0o777
    assert mode(private_folder(tmp_path / "state")) == 0o700
    assert mode(private_folder(tmp_path / "new")) == 0o700


def test_configurations_with_secrets_are_private(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, state_dir=tmp_path / "state")
    (tmp_path / "state" / "kafka").mkdir(parents=True)
    (tmp_path / "state" / "kafka" / "meta.properties").touch()  # nothing is to be formatted
    kafka.prepare(settings)
    write_private(supervisord.conf_file(settings), supervisord.conf(settings))
    assert {mode(path) for path in (kafka.properties_file(settings), supervisord.conf_file(settings))} == {0o600}
    assert {mode(path) for path in (tmp_path / "state" / "secrets").iterdir()} == {0o600}


def test_a_missing_token_is_reported_with_its_file_and_the_fix(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, state_dir=tmp_path)
    with pytest.raises(
        SettingsError, match=f"{tmp_path}/secrets/bigquery_token cannot be read .*: start the stack with"
    ):
        bigquery_login.token(settings)
    assert bigquery_token(settings) == tmp_path / "secrets" / "bigquery_token"
    assert bigquery_login.headers(settings) == {"Authorization": f"Bearer {bigquery_login.token(settings)}"}
