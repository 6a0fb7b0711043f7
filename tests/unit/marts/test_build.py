"""A build waits for another one, with a timeout; a range of dates has an order."""

import fcntl
from datetime import date
from pathlib import Path

import pytest

from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.marts import build as marts
from csat.marts.build_lock import build_lock


def test_build_reports_another_running_build_after_the_timeout(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, _env_file=None)
    (tmp_path / "dbt").mkdir()
    lines: list[str] = []
    with (tmp_path / "dbt" / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CsatError, match="Another build of the marts is still running"):
            marts.build(settings, on_progress=lines.append, lock_wait_seconds=0.3)
    assert lines == ["Waiting for another build of the marts to finish."]


def test_build_goes_on_when_the_other_build_ends(tmp_path: Path) -> None:
    other = (tmp_path / "build.lock").open("w")
    fcntl.flock(other, fcntl.LOCK_EX)
    with build_lock(tmp_path, lambda _: other.close(), 5) as lock, (tmp_path / "build.lock").open("w") as third:
        assert lock > 0
        with pytest.raises(BlockingIOError):
            fcntl.flock(third, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_days_between_includes_both_ends() -> None:
    assert marts.days_between(date(2026, 10, 31), date(2026, 11, 1)) == (date(2026, 10, 31), date(2026, 11, 1))


def test_days_between_rejects_a_first_date_after_the_last() -> None:
    with pytest.raises(CsatError, match="--from 2026-11-02 is after --to 2026-11-01, fix: swap them"):
        marts.days_between(date(2026, 11, 2), date(2026, 11, 1))
