"""Logs of all programs: their last lines, those since a time, and what is written from now on."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from csat.contract.settings import Settings
from csat.local.log_times import line_time
from csat.local.logs import follow, read

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    found = make_settings()
    (found.state / "logs").mkdir(parents=True)
    return found


def write(settings: Settings, name: str, text: str, at: datetime = NOON) -> Path:
    path = settings.state / "logs" / name
    path.write_text(text)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


@pytest.mark.parametrize(
    "start",
    [
        "2026-11-20T12:00:00.354405Z [info     ] request finished",
        "2026-11-20 12:00:00.136 UTC [10493] LOG:  database system is ready",
        "2026-11-20T13:00:00.332+01:00 INFO Kafka",
        "[2026-11-20 14:00:00,117+0200] WARN",
    ],
)
def test_a_line_begins_with_its_time(start: str) -> None:
    assert line_time(start) == NOON


@pytest.mark.parametrize(
    "start", ["2026-11-20 12:00:00,117 WARNING", "26/11/20 12:00:00 WARN", "2026-11-20T12:00:00 x"]
)
def test_a_time_without_a_zone_is_of_this_machine(start: str) -> None:
    assert line_time(start) == datetime(2026, 11, 20, 12, 0).astimezone()


@pytest.mark.parametrize("start", ["INFO:     127.0.0.1", "", "\tat java.base", "2026-99-99 12:00:00"])
def test_a_line_may_have_no_time(start: str) -> None:
    assert line_time(start) is None


def test_since_reads_rotated_logs_and_keeps_the_lines_that_follow(settings: Settings) -> None:
    write(settings, "kafka.log.2", "2026-11-20T10:00:00Z old\n", NOON - timedelta(hours=2))
    write(settings, "kafka.log.1", "2026-11-20T11:40:00Z before\n2026-11-20T11:55:00Z a\n\tat b\n")
    write(settings, "kafka.log", "2026-11-20T11:56:00Z c\n")
    since = NOON - timedelta(minutes=10)
    assert read(settings, "kafka", 1, since) == ["2026-11-20T11:55:00Z a", "\tat b", "2026-11-20T11:56:00Z c"]
    assert read(settings, "kafka", 1) == ["2026-11-20T11:56:00Z c"]


def test_a_program_without_times_shows_its_last_lines_if_it_wrote_since(settings: Settings) -> None:
    write(settings, "bigquery.log", "INFO: a\nINFO: b\n")
    assert read(settings, None, 1, NOON - timedelta(minutes=1)) == ["bigquery | INFO: b"]
    assert read(settings, None, 1, NOON + timedelta(minutes=1)) == []


def test_all_programs_are_followed_with_their_names_across_rotations_and_starts(settings: Settings) -> None:
    kafka = write(settings, "kafka.log", "before\n")
    steps: Iterator[Callable[[], object]] = iter(
        [
            lambda: append(kafka, "one\nha"),
            lambda: append(kafka, "lf\n"),
            lambda: write(settings, "stream.log", "started\n"),
            lambda: (kafka.rename(f"{kafka}.1"), kafka.write_text("rotated\n")),
        ]
    )

    def step(seconds: float) -> None:
        next(steps)()

    lines = follow(settings, None, sleep=step)
    assert list(islice(lines, 4)) == ["kafka | one", "kafka | half", "stream | started", "kafka | rotated"]


def test_one_program_is_followed_without_its_name(settings: Settings) -> None:
    kafka = write(settings, "kafka.log", "before\n")
    write(settings, "stream.log", "")
    lines = follow(settings, "kafka", sleep=lambda _: append(kafka, "one\n"))
    assert next(lines) == "one"


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)
