"""How long an answer is on its way, from what the tables say."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bench.answer_to_board import way

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def answer(answered: float, ingested: float) -> dict[str, Any]:
    return {"survey_answered_at": at(answered), "ingested_at": at(ingested), "batch_id": f"batch {ingested}"}


def build(watermark: float, built: float, seconds: float) -> dict[str, Any]:
    return {"watermark_to": at(watermark), "built_at": at(built), "build_seconds": seconds}


def test_an_answer_is_on_the_board_with_the_first_build_that_it_is_not_ahead_of() -> None:
    answers = [answer(0, 4), answer(5, 10), answer(6, 11)]
    builds = [build(-60, -30, 0.0), build(10, 30, 8.0), build(40, 70, 12.0)]
    found = way("held ready", answers, builds, {"batch 4": at(8), "batch 10": at(11), "batch 11": at(12)})
    assert (found.answers, found.builds, found.build_seconds) == (3, 2, 10.0)
    assert (found.p50, found.longest) == (30.0, 64.0)  # 30, 25 and 64 seconds
    assert (found.landed_p50, found.landed_p95) == (6.0, 7.8)  # of 8, 6 and 6 seconds


def test_percentiles_are_interpolated_between_answers() -> None:
    answers = [answer(-seconds, 0) for seconds in range(101)]
    builds = [build(-200, -200, 0.0), build(0, 0, 9.0)]
    assert way("held ready", answers, builds, {"batch 0": at(0)}).p95 == 95.0
