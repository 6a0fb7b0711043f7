from collections.abc import Iterable
from dataclasses import replace

import pytest

from csat.bigquery.landing_counts import Landed
from csat.contract.settings import Settings
from csat.kafka.offsets import Gap, Offsets, without
from csat.kafka.records import Examined
from csat.monitoring import completeness
from csat.monitoring.completeness import compare, no_loss, outer_gaps

PLACE = ("messages", "id", 0)


@pytest.mark.parametrize(
    ("landed", "offsets", "lost", "duplicated", "pending"),
    [
        pytest.param(Landed(10, 10, 0, 9), Offsets(0, 10), 0, 0, 0, id="all there"),
        pytest.param(Landed(10, 10, 0, 9), Offsets(0, 13), 0, 0, 3, id="three on their way"),
        pytest.param(Landed(9, 9, 0, 9), Offsets(0, 10), 1, 0, 0, id="a hole"),
        pytest.param(Landed(8, 8, 2, 9), Offsets(0, 10), 2, 0, 0, id="the first two missing"),
        pytest.param(Landed(12, 10, 0, 9), Offsets(0, 10), 0, 2, 0, id="two twice"),
        pytest.param(Landed(10, 9, 0, 9), Offsets(0, 10), 1, 1, 0, id="a double does not hide a hole"),
        pytest.param(Landed(10, 10, 0, 9), Offsets(6, 12), 0, 0, 2, id="Kafka deleted what had landed"),
        pytest.param(Landed(10, 10, 0, 9), Offsets(14, 20), 4, 0, 6, id="Kafka deleted four that had not landed"),
        pytest.param(Landed(5, 5, 5, 9), Offsets(5, 10), 0, 0, 0, id="deleted before the stream began"),
        pytest.param(Landed(0, 0, None, None), Offsets(0, 7), 0, 0, 7, id="nothing landed yet"),
    ],
)
def test_compare_distinguishes_lost_duplicated_and_pending_messages(
    landed: Landed, offsets: Offsets, lost: int, duplicated: int, pending: int
) -> None:
    found = compare({PLACE: landed}, {PLACE: offsets})
    assert (found.lost, found.duplicated, found.pending) == (lost, duplicated, pending)
    assert found.is_complete == (lost == duplicated == 0)


def test_compare_adds_up_partitions_and_keeps_those_without_rows() -> None:
    found = compare({PLACE: Landed(2, 2, 0, 2)}, {PLACE: Offsets(0, 4), ("messages", "id", 1): Offsets(0, 5)})
    assert found.as_dict() == {
        "partitions": [
            {
                "topic": "messages",
                "topic_id": "id",
                "partition": 0,
                "rows": 2,
                "distinct_offsets": 2,
                "min_offset": 0,
                "max_offset": 2,
                "kafka_start_offset": 0,
                "kafka_end_offset": 4,
                "excused": 0,
                "unverifiable": 0,
                "is_replaced": False,
            },
            {
                "topic": "messages",
                "topic_id": "id",
                "partition": 1,
                "rows": 0,
                "distinct_offsets": 0,
                "min_offset": None,
                "max_offset": None,
                "kafka_start_offset": 0,
                "kafka_end_offset": 5,
                "excused": 0,
                "unverifiable": 0,
                "is_replaced": False,
            },
        ],
        "lost": 1,
        "duplicated": 0,
        "pending": 6,
        "unverifiable": 0,
        "replaced": 0,
    }


def test_a_partition_with_another_log_is_not_complete() -> None:
    found = compare({PLACE: Landed(2, 2, 0, 1)}, {PLACE: Offsets(0, 2)})
    replaced = replace(found, partitions=(replace(found.partitions[0], is_replaced=True),))
    assert (found.is_complete, found.replaced) == (True, 0)
    assert (replaced.is_complete, replaced.replaced, replaced.lost) == (False, 1, 0)


def test_compare_still_shows_the_holes_of_a_topic_that_kafka_forgot() -> None:
    found = compare({("old", "id", 0): Landed(3, 3, 4, 7)}, {})
    assert (found.lost, found.pending) == (1, 0)


def gap(first: int, end: int, topic_id: str = "id") -> Gap:
    return Gap("messages", topic_id, 0, first, end)


@pytest.mark.parametrize(
    ("accepted", "left"),
    [
        ([], [gap(5, 9)]),
        ([gap(0, 5), gap(9, 12)], [gap(5, 9)]),
        ([gap(5, 9)], []),
        ([gap(0, 7)], [gap(7, 9)]),
        ([gap(6, 7), gap(8, 20)], [gap(5, 6), gap(7, 8)]),
    ],
)
def test_an_accepted_gap_is_cut_out_of_a_missing_one(accepted: list[Gap], left: list[Gap]) -> None:
    assert without(gap(5, 9), accepted) == left


def test_a_loss_of_another_topic_excuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Gap] = []

    def examine(_: Settings, gaps: Iterable[Gap]) -> Examined:
        asked.extend(gaps)
        return Examined(1, 2)

    monkeypatch.setattr(completeness, "examine", examine)
    assert no_loss(Settings(_env_file=None), [gap(5, 9)], [gap(5, 9, "old")]) == Examined(1, 2)
    assert asked == [gap(5, 9)]


def test_the_outer_gaps_of_a_partition_are_before_and_after_what_landed() -> None:
    found = compare({PLACE: Landed(5, 5, 5, 9)}, {PLACE: Offsets(14, 20)}).partitions[0]
    assert outer_gaps(found) == [gap(10, 14)]
    found = compare({PLACE: Landed(5, 5, 5, 9)}, {PLACE: Offsets(2, 20)}).partitions[0]
    assert outer_gaps(found) == [gap(2, 5)]


def test_what_is_excused_is_not_lost() -> None:
    found = compare({PLACE: Landed(9, 9, 0, 9)}, {PLACE: Offsets(0, 10)}).partitions[0]
    assert (found.lost, replace(found, excused=1).lost, replace(found, unverifiable=1).lost) == (1, 0, 0)
