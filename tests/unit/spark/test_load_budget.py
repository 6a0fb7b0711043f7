"""The day's load jobs are spaced so that they last."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csat.bigquery.client import WarehouseError
from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from spark.load_budget import LoadBudget, load_budget

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Clock:
    """Time that passes in waits only."""

    def __init__(self):
        self.now = NOON
        self.slept = []

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        return False


def budget(count, *, age=3600, jobs_per_day=1500):
    """A bucket with this many jobs submitted at once, `age` seconds ago."""
    clock = Clock()
    return LoadBudget(jobs_per_day, [NOON - age * SECOND] * count, clock, clock.wait), clock


def test_job_does_not_wait_while_a_tenth_is_left():
    bucket, clock = budget(1350, age=0)
    bucket.take()
    assert (clock.slept, bucket.left) == ([], 149)


def test_jobs_run_at_about_the_rate_of_the_limit_when_less_than_a_tenth_is_left():
    bucket, clock = budget(1351, age=10)
    bucket.take()
    assert clock.slept == [pytest.approx(57.6 * 150 / 149 - 10, abs=1e-3)]


def test_jobs_slow_down_with_every_token():
    bucket, clock = budget(1485, age=0)  # 15 left: ten times the interval
    bucket.take()
    bucket.take()
    assert clock.slept == [pytest.approx(576, abs=1e-3), pytest.approx(57.6 * 150 / 14, abs=1e-3)]


def test_job_waits_for_the_oldest_to_be_a_day_old_when_none_is_left():
    bucket, clock = budget(1500, age=86_000)
    bucket.take()
    assert clock.slept == [400]
    assert bucket.left == 1499  # all old tokens returned at once


def test_job_older_than_a_day_no_longer_counts():
    bucket, clock = budget(1500, age=86_400)
    assert bucket.left == 1500
    bucket.take()
    assert clock.slept == []


def test_no_day_holds_more_jobs_than_the_limit():
    clock = Clock()
    bucket = LoadBudget(100, (), clock, clock.wait)
    times = []
    for _ in range(350):
        bucket.take()
        times.append(clock.now)
        clock.now += 300 * SECOND  # a trigger interval for 288 jobs per day
    assert max(sum(1 for other in times if start <= other < start + timedelta(days=1)) for start in times) <= 100


def test_bucket_shows_until_when_it_holds_a_job():
    clock, seen = Clock(), []

    def wait(seconds):
        seen.append(bucket.held_until)
        return clock.wait(seconds)

    bucket = LoadBudget(10, [NOON - 100 * SECOND] * 10, clock, wait)
    bucket.take()
    assert seen == [NOON - 100 * SECOND + timedelta(days=1)]
    assert bucket.held_until is None


def test_bucket_without_limit_never_holds():
    bucket, clock = budget(5000, age=0, jobs_per_day=0)
    bucket.take()
    assert clock.slept == []


def test_hold_ends_when_the_driver_exits():
    bucket = LoadBudget(10, [NOON] * 10, lambda: NOON + SECOND)
    bucket.end_hold()
    with pytest.raises(CsatError, match="the driver exits while its batch waits"):
        bucket.take()


class FakeWarehouse:
    """BigQuery with past jobs, or without permission to list them."""

    def __init__(self, settings, jobs=(), error=None):
        self.settings, self.jobs, self.error = settings, jobs, error
        self.since = None

    def rows(self, sql, since, dataset, table):
        assert "`region-us`.INFORMATION_SCHEMA.JOBS" in sql
        assert (dataset, table) == ("csat_raw", "survey_responses")
        if self.error:
            raise self.error
        self.since = since
        return [{"creation_time": job} for job in self.jobs]


CLOUD = Settings(target="gcp", project_id="shop", _env_file=None)


def started_budget(warehouse: Any) -> LoadBudget:
    return load_budget(warehouse, lambda: NOON)


def test_budget_starts_with_the_load_jobs_of_the_last_day():
    warehouse = FakeWarehouse(CLOUD, [NOON - timedelta(hours=23), NOON - timedelta(hours=1)])
    assert started_budget(warehouse).left == 1498
    assert warehouse.since == NOON - timedelta(hours=24)


def test_budget_starts_full_when_bigquery_does_not_list_jobs(caplog):
    assert started_budget(FakeWarehouse(CLOUD, error=WarehouseError("access denied"))).left == 1500
    assert "Cannot list the load jobs of the last 24 hours, assuming none: access denied" in caplog.text


def test_budget_has_no_limit_on_one_machine():
    bucket = started_budget(FakeWarehouse(Settings(_env_file=None), error=AssertionError("asked")))
    for _ in range(2000):
        bucket.take()


def test_a_job_waits_no_longer_when_the_clock_is_set_back():
    (bucket, clock), (other, usual) = budget(1400, age=0), budget(1400, age=0)
    clock.now -= timedelta(hours=3)
    bucket.take()
    other.take()
    assert clock.slept == usual.slept
