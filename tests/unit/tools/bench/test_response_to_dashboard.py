"""The latency from a response to the dashboard, from the rows of the tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tools.bench.response_to_dashboard import latency

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def response(answered: float, ingested: float) -> dict[str, Any]:
    return {"survey_answered_at": at(answered), "ingested_at": at(ingested), "batch_id": f"batch {ingested}"}


def build(watermark: float, built: float, seconds: float) -> dict[str, Any]:
    return {"watermark_to": at(watermark), "built_at": at(built), "build_seconds": seconds}


def test_a_response_is_on_the_dashboard_with_the_first_build_that_includes_it() -> None:
    responses = [response(0, 4), response(5, 10), response(6, 11)]
    builds = [build(-60, -30, 0.0), build(10, 30, 8.0), build(40, 70, 12.0)]
    found = latency("dbt server", responses, builds, {"batch 4": at(8), "batch 10": at(11), "batch 11": at(12)})
    assert (found.responses, found.builds, found.build_seconds) == (3, 2, 10.0)
    assert (found.p50, found.longest) == (30.0, 64.0)  # 30, 25 and 64 seconds
    assert (found.landed_p50, found.landed_p95) == (6.0, 7.8)  # of 8, 6 and 6 seconds


def test_percentiles_are_interpolated_between_responses() -> None:
    responses = [response(-seconds, 0) for seconds in range(101)]
    builds = [build(-200, -200, 0.0), build(0, 0, 9.0)]
    assert latency("dbt server", responses, builds, {"batch 0": at(0)}).p95 == 95.0
