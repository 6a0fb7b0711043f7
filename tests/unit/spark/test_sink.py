"""Which load jobs the sink submits for a batch, whatever happened before."""

from datetime import UTC, datetime
from typing import Any

import pytest

from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from spark.load_budget import LoadBudget
from spark.sink import LandingSink, Outcome
from spark.staging import StagedFile, discard, spark_path

DONE, FAILED = (Outcome.DONE, 10, ""), (Outcome.FAILED, 0, "backendError: try again")
REFUSED, MISSING = (Outcome.REFUSED, 0, "invalid: no such column"), (Outcome.MISSING, 0, "job does not exist")


class FakeLoadJobs:
    """A fake BigQuery: the outcome of each job id, or one a wait, and the ids that were used before."""

    def __init__(self, ends, *, submitted=()):
        self.ends = ends
        self.known = set(submitted)
        self.submitted = []

    def find(self, job_id):
        return job_id in self.known

    def submit(self, job_id, uris):
        self.known.add(job_id)
        self.submitted.append((job_id, uris))

    def wait(self, job_id):
        end = self.ends[job_id]
        return end.pop(0) if isinstance(end, list) else end


class Staging:
    """Counts how often a batch was written to files."""

    def __init__(self, files):
        self.count = 0
        self.files = files

    def __call__(self):
        self.count += 1
        return self.files


FILES = [StagedFile("gs://staging/q/7/x/1.parquet", 6), StagedFile("gs://staging/q/7/x/2.parquet", 4)]


def land(jobs, fence=lambda: None, files=FILES, budget=None):
    """Land batch 7 of query q; returns the sink's row count and how often files were written."""
    staging = Staging(files)
    sink = LandingSink(
        Settings(_env_file=None), jobs, fence, budget or LoadBudget(0), "topic-id", sleep=lambda seconds: None
    )
    return sink._land("q-7", staging), staging.count


def test_sink_submits_one_job_named_for_the_batch():
    jobs = FakeLoadJobs({"csat-q-7-a1": DONE})
    assert land(jobs) == (10, 1)
    assert jobs.submitted == [("csat-q-7-a1", ["gs://staging/q/7/x/1.parquet", "gs://staging/q/7/x/2.parquet"])]


def test_sink_submits_nothing_when_the_batch_has_no_messages():
    jobs = FakeLoadJobs({})
    assert land(jobs, files=[]) == (0, 1)
    assert jobs.submitted == []


def test_sink_waits_for_the_job_of_an_earlier_run_without_writing_again():
    jobs = FakeLoadJobs({"csat-q-7-a1": DONE}, submitted=["csat-q-7-a1"])
    assert land(jobs) == (10, 0)
    assert jobs.submitted == []


def test_sink_makes_the_next_attempt_with_the_same_files_after_a_failed_job():
    jobs = FakeLoadJobs({"csat-q-7-a1": FAILED, "csat-q-7-a2": DONE})
    assert land(jobs) == (10, 1)
    assert [job_id for job_id, _ in jobs.submitted] == ["csat-q-7-a1", "csat-q-7-a2"]


def test_sink_continues_after_the_failed_attempts_of_an_earlier_run():
    jobs = FakeLoadJobs({"csat-q-7-a1": FAILED, "csat-q-7-a2": DONE}, submitted=["csat-q-7-a1"])
    assert land(jobs) == (10, 1)
    assert [job_id for job_id, _ in jobs.submitted] == ["csat-q-7-a2"]


def test_sink_retries_what_bigquery_refused_in_an_earlier_run():
    jobs = FakeLoadJobs({"csat-q-7-a1": REFUSED, "csat-q-7-a2": DONE}, submitted=["csat-q-7-a1"])
    assert land(jobs) == (10, 1)
    assert [job_id for job_id, _ in jobs.submitted] == ["csat-q-7-a2"]


def test_sink_has_five_attempts_of_its_own_however_many_earlier_runs_had():
    earlier = [f"csat-q-7-a{n}" for n in range(1, 8)]
    ends = dict.fromkeys(earlier, FAILED) | {f"csat-q-7-a{n}": FAILED for n in range(8, 12)} | {"csat-q-7-a12": DONE}
    jobs = FakeLoadJobs(ends, submitted=earlier)
    assert land(jobs) == (10, 1)
    assert [job_id for job_id, _ in jobs.submitted] == [f"csat-q-7-a{n}" for n in range(8, 13)]


def test_sink_submits_a_job_that_bigquery_does_not_know_again_under_its_own_id():
    jobs = FakeLoadJobs({"csat-q-7-a1": [MISSING, MISSING, DONE]})
    assert land(jobs) == (10, 1)
    assert [job_id for job_id, _ in jobs.submitted] == ["csat-q-7-a1"] * 3


def test_sink_writes_the_files_of_a_job_of_an_earlier_run_that_is_gone():
    jobs = FakeLoadJobs({"csat-q-7-a1": [MISSING, DONE]}, submitted=["csat-q-7-a1"])
    assert land(jobs) == (10, 1)
    assert [job_id for job_id, _ in jobs.submitted] == ["csat-q-7-a1"]


def test_sink_never_makes_another_attempt_while_a_job_may_still_arrive():
    jobs = FakeLoadJobs({"csat-q-7-a1": MISSING})
    with pytest.raises(CsatError, match="job does not exist after 5 submits"):
        land(jobs)
    assert {job_id for job_id, _ in jobs.submitted} == {"csat-q-7-a1"}


def test_sink_ends_the_query_when_bigquery_refuses_the_data():
    jobs = FakeLoadJobs({"csat-q-7-a1": REFUSED})
    with pytest.raises(CsatError, match="csat-q-7-a1: invalid: no such column"):
        land(jobs)
    assert len(jobs.submitted) == 1


def test_sink_ends_the_query_after_five_failed_attempts():
    jobs = FakeLoadJobs({f"csat-q-7-a{n}": FAILED for n in range(1, 7)})
    with pytest.raises(CsatError, match="5 load jobs of batch q-7 failed"):
        land(jobs)
    assert len(jobs.submitted) == 5


def test_sink_waits_for_a_quota_without_an_end_and_says_until_when():
    ends = {f"csat-q-7-a{n}": (Outcome.OVER_QUOTA, 0, "quotaExceeded: too many") for n in range(1, 9)}
    held = []

    def wait(seconds):
        held.append((seconds, budget.held_until))
        return False

    budget = LoadBudget(0, clock=lambda: datetime(2026, 11, 20, tzinfo=UTC), wait=wait)
    assert land(FakeLoadJobs(ends | {"csat-q-7-a9": DONE}), budget=budget) == (10, 1)
    assert held == [(120, datetime(2026, 11, 20, 0, 2, tzinfo=UTC))] * 8
    assert budget.held_until is None


def test_sink_submits_nothing_when_another_driver_has_the_stream():
    def closed():
        raise CsatError("another driver has the stream")

    jobs = FakeLoadJobs({})
    with pytest.raises(CsatError, match="another driver has the stream"):
        land(jobs, fence=closed)
    assert jobs.submitted == []


def test_sink_takes_a_token_for_each_attempt_and_none_for_jobs_of_an_earlier_run():
    budget = LoadBudget(100)
    jobs = FakeLoadJobs({"csat-q-7-a1": FAILED, "csat-q-7-a2": FAILED, "csat-q-7-a3": DONE}, submitted=["csat-q-7-a1"])
    land(jobs, budget=budget)
    assert budget.left == 98


def test_sink_submits_nothing_when_another_driver_took_over_during_a_hold():
    came = []

    def wait(seconds):
        came.append(seconds)
        return False

    def fence():
        if came:
            raise CsatError("another driver has the stream")

    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    jobs = FakeLoadJobs({"csat-q-7-a1": DONE})
    with pytest.raises(CsatError, match="another driver has the stream"):
        land(jobs, fence, budget=LoadBudget(10, [now] * 10, lambda: now, wait))
    assert (came, jobs.submitted) == ([86_400], [])


def test_spark_path_is_the_folder_that_the_emulator_serves_when_local(tmp_path):
    settings = Settings(state_dir=tmp_path, _env_file=None)
    assert spark_path(settings, "gs://csat-staging/q/7") == f"file://{tmp_path}/gcs/csat-staging/q/7"


def test_spark_path_is_the_address_itself_on_google_cloud():
    settings = Settings(target="gcp", project_id="shop", _env_file=None)
    assert spark_path(settings, "gs://bucket/q/7") == "gs://bucket/q/7"


class FakeBatch:
    """The part of a Spark batch that the sink reads before landing it."""

    def __init__(self):
        self.sparkSession = self
        self.sparkContext = self

    def getLocalProperty(self, name):  # noqa: N802
        return "q"


def batch() -> Any:
    return FakeBatch()


def test_sink_keeps_the_id_of_the_batch_that_it_could_not_land(monkeypatch):
    monkeypatch.setattr(LandingSink, "_stage", lambda *arguments: FILES)
    jobs = FakeLoadJobs({"csat-q-7-a1": REFUSED})
    sink = LandingSink(Settings(_env_file=None), jobs, lambda: None, LoadBudget(0), "topic-id")
    assert sink.current_batch == ""
    with pytest.raises(CsatError, match="BigQuery refused csat-q-7-a1"):
        sink.write(batch(), 7)
    assert sink.current_batch == "q-7"


def test_sink_has_no_current_batch_once_it_has_landed(monkeypatch):
    monkeypatch.setattr("spark.sink.discard", lambda settings, uri: None)
    jobs = FakeLoadJobs({"csat-q-7-a1": DONE}, submitted=["csat-q-7-a1"])
    sink = LandingSink(Settings(_env_file=None), jobs, lambda: None, LoadBudget(0), "topic-id")
    sink.write(batch(), 7)
    assert (sink.current_batch, sink.rows_committed) == ("", 10)


def test_files_that_have_landed_are_deleted_with_their_folder_and_nothing_else(tmp_path):
    settings = Settings(_env_file=None, state_dir=tmp_path)
    for number in (7, 8):
        (tmp_path / f"gcs/csat-staging/q/{number}/x").mkdir(parents=True)
        (tmp_path / f"gcs/csat-staging/q/{number}/x/1.parquet").touch()
    discard(settings, "gs://csat-staging/q/7")
    discard(settings, "gs://csat-staging/q/7")
    assert [path.name for path in (tmp_path / "gcs/csat-staging/q").iterdir()] == ["8"]
    assert (tmp_path / "gcs/csat-staging/q/8/x/1.parquet").exists()
