"""Shared steps of the marts' tests: compare a mart with a recount, kill a build."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from csat.contract.settings import ROOT, Settings, environment
from tests.integration.marts.conftest import Marts, Rows

KEYS = {
    "agent_leaderboard": ("leaderboard_date", "window_id", "agent_id"),
    "category_ranking": ("ranking_date", "window_id", "category", "sub_category"),
    "response_series": ("response_hour", "channel", "category"),
}


def assert_same(world: Marts, table: str, expected: Rows) -> None:
    """Every row and column of the mart is as expected; figures to nine digits."""
    key = KEYS[table]
    found = {tuple(row[name] for name in key): row for row in world.read(table)}
    wanted = {tuple(row[name] for name in key): row for row in expected}
    assert found.keys() == wanted.keys()
    for place, row in wanted.items():
        assert found[place] == {
            name: pytest.approx(value, abs=2e-9) if isinstance(value, float) else value for name, value in row.items()
        }, place


def expire_lease(world: Marts) -> None:
    """Let the time of the build's lease pass."""
    past = "timestamp_sub(current_timestamp(), interval 1 second)"
    world.execute(f"update `{{table}}` set expires_at = {past} where true", "ops", "build_lease")


@contextmanager
def building(settings: Settings) -> Iterator["subprocess.Popen[str]"]:
    """A process that builds, in a group of its own, which is killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-m", "csat.cli.main", "marts", "build"],
        env=environment(**settings.as_environment()),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def kill_build(world: Marts, *, after: str) -> None:
    """Build in a process, and kill it and its dbt once this model is written."""
    with building(world.settings) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if re.search(rf"OK created .*\.{after} ", line):
                os.killpg(process.pid, signal.SIGKILL)
                return
    pytest.fail(f"the build ended before {after} was written: {''.join(lines)}")
