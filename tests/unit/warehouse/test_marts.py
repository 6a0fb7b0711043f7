"""A build waits for another one, and not for ever; dates run forwards."""

import fcntl
from datetime import date
from pathlib import Path

import pytest

from csat.settings import Settings
from warehouse import marts
from warehouse.build_lock import BuildLockError


def test_build_says_that_another_one_runs_when_the_wait_is_over(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, _env_file=None)
    (tmp_path / "dbt").mkdir()
    said: list[str] = []
    with (tmp_path / "dbt" / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BuildLockError, match="Another build of the marts still runs"):
            marts.build(settings, on_progress=said.append, lock_wait_seconds=0.3)
    assert said == ["Waiting for another build of the marts to end."]


def test_days_between_holds_both_ends() -> None:
    assert marts.days_between(date(2026, 10, 31), date(2026, 11, 1)) == (date(2026, 10, 31), date(2026, 11, 1))


def test_days_between_refuses_dates_that_run_backwards() -> None:
    with pytest.raises(marts.MartsError, match="exchange --from and --to"):
        marts.days_between(date(2026, 11, 2), date(2026, 11, 1))
