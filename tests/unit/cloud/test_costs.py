"""The monthly cost, against figures calculated by hand."""

import pytest

from csat.cloud import costs
from csat.contract.settings import ROOT


def test_the_stream_costs_a_driver_and_the_two_executors_that_it_must_have() -> None:
    # 3 nodes x (4 vCPUs x 0.6 + 4.4 GiB x 0.1) units x $0.06 x 730 h
    assert costs.spark(2_771) == pytest.approx(373.18, abs=0.01)


@pytest.mark.parametrize(("responses_a_day", "count"), [(0, 2), (10_000_000, 2), (1_000_000_000, 2), (10**10, 15)])
def test_executors_follow_the_peak_with_a_minimum_of_two(responses_a_day: int, count: int) -> None:
    # 10^10 per day is 115,741 per second, five times that at the peak, 40,000 per executor
    assert costs.executors(responses_a_day) == count


def test_kafka_costs_three_vcpus_with_their_memory_and_disk() -> None:
    # (3 x 0.6 + 12 x 0.1) x $0.09 x 730 h + 300 GiB x $0.17
    assert costs.kafka(2_771) == pytest.approx(197.10 + 51.00, abs=0.01)


def test_small_volumes_pay_ten_mebibytes_for_every_table_of_every_statement() -> None:
    # 60 x 1.5 x 10 MiB x 96 builds x 30.417 days = 2.5063 TiB, less the free one, at $6.25
    assert costs.queries(0) == pytest.approx((2.5063 - 1) * 6.25, abs=0.02)


def test_large_volumes_pay_for_what_the_builds_read() -> None:
    # 10^7 x 16,300 bytes x 2,920 builds = 432.88 TiB, less the free one, at $6.25
    assert costs.queries(10_000_000) == pytest.approx(431.88 * 6.25, abs=1)


def test_a_year_of_responses_is_stored_at_two_prices() -> None:
    # 10^7 x 1,100 bytes = 10.2445 GiB per day; 90 days at $0.02 and 275 at $0.01
    assert costs.storage(10_000_000) == pytest.approx(10.2445 * (90 * 0.02 + 275 * 0.01), abs=0.01)


def test_a_month_is_the_sum_of_its_parts() -> None:
    month = costs.on_a_machine(100_000)
    assert month.total == pytest.approx(0.134 * 730 + 10 + costs.queries(100_000) + costs.storage(100_000))


def test_the_table_in_the_docs_matches_the_module() -> None:
    assert costs.table() in (ROOT / "docs" / "cloud.md").read_text(), "paste the table of `make cloud-costs`"
