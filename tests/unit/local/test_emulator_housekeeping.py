"""What is deleted, and what never is."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core.exceptions import NotFound

from csat.bigquery.client import Warehouse
from csat.contract.settings import Settings
from csat.local.emulator_housekeeping import (
    delete_dbt_files,
    delete_emulator_jobs,
    delete_old_files,
    delete_scratch_tables,
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, float], Path]:
    """Writes a file so many days ago; its folders are as old."""

    def make(name: str, days: float) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        moment = time.time() - days * 86_400
        for one in (path, *path.parents):
            if one.is_relative_to(tmp_path):
                os.utime(one, (moment, moment))
        return path

    return make


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_old_files_go_with_the_folders_that_they_leave_empty(write: Callable[..., Path], tmp_path: Path) -> None:
    write("q/2/x/a.parquet", 1)
    write("q/1/x/a.parquet", 8)
    write("q/1/x/b.parquet", 8)
    assert delete_old_files(tmp_path, 7) == 2
    assert names(tmp_path) == ["q", "q/2", "q/2/x", "q/2/x/a.parquet"]
    assert delete_old_files(tmp_path, 7) == 0


def test_a_new_folder_stays_though_it_is_empty(write: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    assert delete_old_files(tmp_path, 7) == 0
    assert names(tmp_path) == ["new"]


def test_a_link_is_deleted_and_what_it_points_to_is_not(write: Callable[..., Path], tmp_path: Path) -> None:
    target = write("elsewhere/a", 0)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link").symlink_to(target.parent)
    os.utime(tmp_path / "here" / "link", (1, 1), follow_symlinks=False)
    assert delete_old_files(tmp_path / "here", 7) == 1
    assert target.exists()


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert delete_old_files(tmp_path / "none", 7) == 0


def test_dbts_parsed_project_stays(write: Callable[..., Path], tmp_path: Path) -> None:
    write("dbt/target/partial_parse.msgpack", 90)
    write("dbt/target/compiled/gone.sql", 90)
    write("dbt/logs/dbt.log", 1)
    assert delete_dbt_files(Settings(state_dir=tmp_path, _env_file=None), 14) == {"deleted": 1}
    assert [name for name in names(tmp_path) if "." in name] == [
        "dbt/logs/dbt.log",
        "dbt/target/partial_parse.msgpack",
    ]


class FakeClient:
    """BigQuery's client, as far as housekeeping asks it."""

    def __init__(self, jobs: list[str] | None = None, tables: list[Any] | None = None) -> None:
        self.jobs, self.tables = jobs or [], tables or []
        self.asked: dict[str, Any] = {}
        self.deleted: list[str] = []

    def list_jobs(self, **options: Any) -> list[Any]:
        self.asked = options
        return [SimpleNamespace(job_id=name) for name in self.jobs]

    def delete_job_metadata(self, job_id: str, **options: Any) -> None:
        if job_id == "gone":
            raise NotFound("no such job")
        self.deleted.append(job_id)

    def list_tables(self, dataset: str, **options: Any) -> list[Any]:
        assert dataset == "csat-local.csat_scratch"
        return self.tables

    def delete_table(self, reference: str, **options: Any) -> None:
        self.deleted.append(reference)

    def close(self) -> None:
        return


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeClient], FakeClient]:
    def put(client: FakeClient) -> FakeClient:
        monkeypatch.setattr(Warehouse, "client", client)
        return client

    return put


SETTINGS = Settings(_env_file=None)


def test_the_streams_load_jobs_are_never_deleted(use: Callable[..., FakeClient]) -> None:
    client = use(FakeClient(["new", "csat-q-8-a1", "gone", "old"]))
    assert delete_emulator_jobs(SETTINGS, hours=6, limit=10, now=NOON) == {"deleted": 2}
    assert client.deleted == ["old", "new"]
    assert client.asked["max_creation_time"] == NOON - timedelta(hours=6)
    assert client.asked["state_filter"] == "done"


def test_the_oldest_jobs_are_deleted_first(use: Callable[..., FakeClient]) -> None:
    client = use(FakeClient(["c", "b", "a"]))
    assert delete_emulator_jobs(SETTINGS, hours=6, limit=2, now=NOON) == {"deleted": 2}
    assert client.deleted == ["a", "b"]


def test_googles_own_bigquery_keeps_its_jobs(use: Callable[..., FakeClient]) -> None:
    client = use(FakeClient(["a"]))
    cloud = Settings(_env_file=None, target="gcp", project_id="shop")
    assert delete_emulator_jobs(cloud, hours=6, limit=2)["deleted"] == 0
    assert client.deleted == []


def table(name: str, age_hours: float, expires_in_hours: float | None) -> Any:
    expires = NOON + timedelta(hours=expires_in_hours) if expires_in_hours is not None else None
    return SimpleNamespace(reference=name, created=NOON - timedelta(hours=age_hours), expires=expires)


def test_scratch_tables_go_when_they_have_expired_or_are_too_old(use: Callable[..., FakeClient]) -> None:
    tables = [table("expired", 1, -1), table("old", 25, None), table("new", 1, 23), table("newer", 1, None)]
    client = use(FakeClient(tables=tables))
    assert delete_scratch_tables(SETTINGS, hours=24, now=NOON) == {"deleted": 2, "kept": 2}
    assert client.deleted == ["expired", "old"]


def test_jobs_are_listed_with_a_time_out(use: Callable[..., FakeClient]) -> None:
    client = use(FakeClient())
    delete_emulator_jobs(SETTINGS, hours=6, limit=10, now=NOON)
    assert client.asked["timeout"] == 30
    assert client.asked["retry"] is not None
