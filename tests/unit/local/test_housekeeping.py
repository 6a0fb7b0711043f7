"""What is cleaned of the one-machine stack, and what is not."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.local import airflow, postgres
from csat.local.housekeeping import clean_airflow, clean_staging
from csat.local.secret_files import secret

MakeSettings = Callable[..., Settings]


@pytest.fixture
def migrated(make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a stack whose Airflow has a database."""
    settings = make_settings()
    postgres.folder(settings).mkdir(parents=True)
    airflow.mark_migrated(settings)
    return settings


def old_file(path: Path, days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    moment = time.time() - days * 86_400
    os.utime(path, (moment, moment))
    return path


def use_program(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    program = folder / "program"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    monkeypatch.setattr(airflow, "clean_command", lambda: [str(program)])


def test_airflow_is_asked_to_clean_its_own_database_and_old_logs_go(
    migrated: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_program(monkeypatch, tmp_path, f'echo "$AIRFLOW__DATABASE__SQL_ALCHEMY_CONN $*" > {tmp_path}/said')
    old = old_file(airflow.home(migrated) / "logs" / "dag_id=a" / "1.log", 31)
    new = old_file(airflow.home(migrated) / "logs" / "dag_id=a" / "2.log", 29)
    assert clean_airflow(migrated, 30)["log_files_deleted"] == 1
    assert (old.exists(), new.exists()) == (False, True)
    said = (tmp_path / "said").read_text()
    password = secret(migrated.state, "postgres")
    address = f"postgresql+psycopg2://airflow:{password}@127.0.0.1:{migrated.postgres_port}/airflow"
    assert said.startswith(f"{address} --clean-before-timestamp ")
    assert said.endswith("--skip-archive --yes\n")


def test_a_database_that_cannot_be_cleaned_is_an_error_with_airflows_output(
    migrated: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_program(monkeypatch, tmp_path, "echo no connection; exit 1")
    with pytest.raises(CsatError, match="could not clean its database: no connection"):
        clean_airflow(migrated, 30)


def test_the_run_of_a_living_stream_is_never_old(make_settings: MakeSettings) -> None:
    settings = make_settings(max_age_hours=24 * 7)
    postgres.folder(settings).mkdir(parents=True)
    airflow.mark_migrated(settings)
    with pytest.raises(CsatError, match="CSAT_MAX_AGE_HOURS=168, fix: raise --days"):
        clean_airflow(settings, 7)


def test_a_place_without_the_stacks_airflow_has_nothing_to_clean(make_settings: MakeSettings) -> None:
    assert clean_airflow(make_settings(), 30) == {
        "log_files_deleted": 0,
        "skipped": "no Airflow of this stack",
    }


def test_old_staging_files_go(make_settings: MakeSettings) -> None:
    settings = make_settings()
    old = old_file(settings.staging_root / "csat-staging" / "q" / "1" / "x" / "a.parquet", 8)
    new = old_file(settings.staging_root / "csat-staging" / "q" / "2" / "x" / "a.parquet", 6)
    other = old_file(settings.staging_root / "another-bucket" / "a", 90)
    assert clean_staging(settings, 7) == {"deleted": 1}
    assert (old.exists(), new.exists(), other.exists()) == (False, True, True)


def test_a_bucket_is_left_to_its_lifecycle_rule(make_settings: MakeSettings) -> None:
    assert clean_staging(make_settings(target="gcp", project_id="shop"), 7)["deleted"] == 0
