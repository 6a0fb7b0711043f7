"""A build waits for another one, with a timeout; a range of dates has an order."""

import fcntl
import re
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.marts import build as marts
from csat.marts.build_lock import build_lock
from csat.marts.plans import Plan
from csat.marts.results import DbtResult


def test_build_reports_another_running_build_after_the_timeout(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, _env_file=None)
    lines: list[str] = []
    error = r"still runs after 0\.3 s: process 7 on vm since 2.* UTC, fix: wait, or end"
    with build_lock(tmp_path / "dbt", "t1", "process 7 on vm", lines.append), pytest.raises(CsatError, match=error):
        marts.build(settings, on_progress=lines.append, lock_wait_seconds=0.3)
    [line] = lines
    assert re.fullmatch(
        r"Waiting for another build of the marts: process 7 on vm since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\.", line
    )


def test_build_goes_on_when_the_other_build_ends_and_knows_its_token(tmp_path: Path) -> None:
    other = (tmp_path / "build.lock").open("w")
    other.write("t1 process 7 on vm since 2026-11-29 10:00:00 UTC")
    other.flush()
    fcntl.flock(other, fcntl.LOCK_EX)
    with build_lock(tmp_path, "t2", "process 8 on vm", lambda _: other.close(), 5) as lock:
        assert lock.ended_token == "t1"
        with (tmp_path / "build.lock").open() as third, pytest.raises(BlockingIOError):
            fcntl.flock(third, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with build_lock(tmp_path, "t3", "process 9 on vm", lambda _: None) as lock:
        assert lock.ended_token == "t2"


def test_the_first_build_follows_no_other(tmp_path: Path) -> None:
    with build_lock(tmp_path / "dbt", "t1", "process 7 on vm", lambda _: None) as lock:
        assert lock.ended_token == ""


def test_days_between_includes_both_ends() -> None:
    assert marts.days_between(date(2026, 10, 31), date(2026, 11, 1)) == (date(2026, 10, 31), date(2026, 11, 1))


def test_days_between_rejects_a_first_date_after_the_last() -> None:
    with pytest.raises(CsatError, match="--from 2026-11-02 is after --to 2026-11-01, fix: swap them"):
        marts.days_between(date(2026, 11, 2), date(2026, 11, 1))


def test_a_selection_that_matches_no_model_publishes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marts, "run_dbt", lambda *_: DbtResult("id", ()))
    warehouse = SimpleNamespace(settings=Settings(state_dir=tmp_path, _env_file=None))
    exclusive: Any = SimpleNamespace(warehouse=warehouse, progress=lambda _: None, lock=0)
    with pytest.raises(CsatError, match=r"no model matches --select 'tag:none', fix: "):
        marts.run_plan(exclusive, Plan(0), status="partial", select="tag:none")
