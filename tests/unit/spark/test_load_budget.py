"""The day's load jobs are spent so that they last."""

from datetime import UTC, datetime, timedelta

import pytest

from spark.load_budget import LoadBudget

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Clock:
    """Time that passes in sleep only."""

    def __init__(self):
        self.now = NOON
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def budget(count, *, age=3600, jobs_per_day=1500):
    """A bucket with this many jobs submitted at once, so many seconds ago."""
    clock = Clock()
    return LoadBudget(jobs_per_day, [NOON - age * SECOND] * count, clock, clock.sleep), clock


def test_job_waits_for_nothing_while_a_tenth_is_left():
    bucket, clock = budget(1350, age=0)
    bucket.take()
    assert (clock.slept, bucket.left) == ([], 149)


def test_job_keeps_about_the_pace_of_the_limit_when_less_than_a_tenth_is_left():
    bucket, clock = budget(1351, age=10)
    bucket.take()
    assert clock.slept == [pytest.approx(57.6 * 150 / 149 - 10, abs=1e-3)]


def test_jobs_get_rarer_with_every_token():
    bucket, clock = budget(1485, age=0)  # 15 left: ten times the pace
    bucket.take()
    bucket.take()
    assert clock.slept == [pytest.approx(576, abs=1e-3), pytest.approx(57.6 * 150 / 14, abs=1e-3)]


def test_job_waits_for_the_oldest_to_be_a_day_old_when_none_is_left():
    bucket, clock = budget(1500, age=86_000)
    bucket.take()
    assert clock.slept == [400]
    assert bucket.left == 1499  # all the old ones came back at once


def test_job_of_a_day_ago_counts_no_more():
    bucket, clock = budget(1500, age=86_400)
    assert bucket.left == 1500
    bucket.take()
    assert clock.slept == []


def test_no_day_holds_more_jobs_than_the_limit():
    clock = Clock()
    bucket = LoadBudget(100, (), clock, clock.sleep)
    times = []
    for _ in range(350):
        bucket.take()
        times.append(clock.now)
        clock.now += 300 * SECOND  # a trigger that would make 288 a day
    assert max(sum(1 for other in times if start <= other < start + timedelta(days=1)) for start in times) <= 100


def test_bucket_tells_until_when_it_holds_a_job():
    clock, seen = Clock(), []

    def sleep(seconds):
        seen.append(bucket.held_until)
        clock.sleep(seconds)

    bucket = LoadBudget(10, [NOON - 100 * SECOND] * 10, clock, sleep)
    bucket.take()
    assert seen == [NOON - 100 * SECOND + timedelta(days=1)]
    assert bucket.held_until is None


def test_bucket_without_limit_never_holds():
    bucket, clock = budget(5000, age=0, jobs_per_day=0)
    bucket.take()
    assert clock.slept == []
