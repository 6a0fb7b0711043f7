"""The arithmetic of docs/scaling.md, on figures that can be checked by hand."""

import json
from pathlib import Path

import pytest

from csat.cloud import costs
from producer.profile import load_profile
from tools.bench.results import fill_in
from tools.bench.scaling.figures import Figures, cloud_settings, column_bytes, figures, peak, rounded_down
from tools.bench.scaling.load import Load, binds_at, build_reads, chart_dollars
from tools.bench.scaling.tables import limits_table, load_table

SETTINGS = cloud_settings()
# 100 bytes a row; an answer a second in the mean hour is two in the busiest
FIGURES = Figures(
    rows_a_core_second=10_000,
    message_bytes=1_000,
    column_bytes={
        "response_id": 40,
        "survey_answered_at": 8,
        "issue_responded_at": 8,
        "agent_id": 12,
        "ingested_at": 8,
        "kafka_timestamp": 8,
        "customer_remarks": 16,
    },
    peak=2,
)


def load(responses_a_day: float) -> Load:
    return Load(responses_a_day, FIGURES, SETTINGS)


def test_cloud_loads_every_ninety_seconds_at_any_volume() -> None:
    assert (SETTINGS.trigger, load(1).load_jobs, load(1e9).load_jobs) == (90, 960, 960)


def test_busiest_hour_sets_the_rate_and_the_batch() -> None:
    one_a_second = load(86_400)
    assert (one_a_second.peak_rate, one_a_second.batch_rows) == (2, 180)


@pytest.mark.parametrize(
    ("responses_a_day", "cores", "executors", "partitions"),
    [(86_400, 1, 2, 4), (86_400 * 10_000, 4, 2, 4), (86_400 * 30_000, 12, 3, 12)],
)
def test_cores_take_twice_the_busiest_hour_and_each_has_a_partition(
    responses_a_day: int, cores: int, executors: int, partitions: int
) -> None:
    one = load(responses_a_day)
    assert (one.cores, one.executors, one.kafka_partitions) == (cores, executors, partitions)


def test_kafka_stores_a_week_in_three_copies() -> None:
    assert load(1024**3).kafka_gib == 21_000


def test_large_messages_need_more_partitions() -> None:
    # 86,400,000 responses: 2,000 a second of 50 kB are 100 MB/s
    heavy = Figures(10_000, 50_000, FIGURES.column_bytes, peak=2)
    assert Load(86_400_000, heavy, SETTINGS).kafka_partitions == 10


def test_batch_limit_is_the_setting_until_twice_a_batch_is_more() -> None:
    assert load(86_400).batch_limit == SETTINGS.max_offsets_per_trigger == 200_000
    assert load(86_400 * 1_000).batch_limit == 360_000


def test_catching_up_is_limited_by_full_batches_or_by_all_cores() -> None:
    # 200,000 in 90 s; 8 cores take 80,000 a second
    assert load(48_000_000).catch_up_minutes == 360
    no_limit = SETTINGS.model_copy(update={"max_offsets_per_trigger": 50_000_000})
    assert Load(48_000_000, FIGURES, no_limit).catch_up_minutes == 10


def test_a_load_job_changes_one_partition_whatever_the_dates_of_its_responses() -> None:
    assert load(1).partition_changes == load(1e9).partition_changes == 960


def test_storage_write_api_costs_beyond_two_tebibytes() -> None:
    gibibyte = 1024**3 / 100 * 12 / 365  # responses a day that are one GiB in a month
    assert load(2_048 * gibibyte).write_dollars == 0
    assert load(2_148 * gibibyte).write_dollars == pytest.approx(2.5)


def test_a_build_reads_new_rows_the_keys_of_its_look_back_and_a_year_for_the_leaderboard() -> None:
    reads = {read.name: (read.response_bytes, read.days) for read in build_reads(FIGURES, look_back_days=90)}
    assert reads == {
        "watermark": (16, 2),
        "new rows": (56, 2),
        "copies": (16, 91),
        "fct_survey_responses": (200, 2),
        "aggregates of the touched dates": (400, 2),
        "agent_leaderboard": (28, 365),
    }
    assert load(1_000_000).largest_read == 28 * 365 * 1_000_000


def test_a_build_bills_the_minimum_of_its_statements() -> None:
    # 60 statements of one and a half tables are 900 MiB: 1,200 builds a day are 31.3 TiB a month, the first one free
    assert load(1).mart_dollars(builds_a_day=1_200) == pytest.approx((900 * 1_200 * 365 / 12 / 1024**2 - 1) * 6.25)


def test_the_months_bill_of_the_cloud_counts_the_same_builds() -> None:
    real = Figures(10_000, 1_000, column_bytes(), peak=2)
    for responses_a_day in (2_771, 10_000_000):
        load = Load(responses_a_day, real, SETTINGS)
        assert load.builds == costs.BUILDS_A_DAY
        assert load.mart_dollars(load.builds) == pytest.approx(costs.queries(responses_a_day), rel=0.02)


def test_charts_bill_the_minimum_of_their_queries() -> None:
    # 20,000 queries a day of 10 MiB are 5.8 TiB a month, the first one free
    assert chart_dollars() == pytest.approx(30.01, abs=0.01)


def test_health_view_reads_the_landing_table() -> None:
    assert load(1024**3).health_gib == 365 * 64


def test_limit_is_reached_where_demand_exceeds_it() -> None:
    assert binds_at(lambda responses: responses / 10, 1_000) == pytest.approx(10_000, rel=0.01)
    assert binds_at(lambda _: 5, 6) is None


def test_peak_is_the_busiest_hour_of_the_busiest_weekday() -> None:
    # 7.1 % of a day's responses in one of 24 hours, on a day with 8.7 % more than the mean
    assert peak(load_profile()) == pytest.approx(0.071 * 24 * 1.087, rel=0.005)


@pytest.mark.parametrize(("rate", "rounded"), [(37_412, 30_000), (9_999, 9_000), (100_000, 100_000)])
def test_rate_is_rounded_down_to_one_figure(rate: float, rounded: float) -> None:
    assert rounded_down(rate) == rounded


def test_columns_are_counted_as_bigquery_counts() -> None:
    sizes = column_bytes()
    assert (sizes["response_id"], sizes["csat_score"], sizes["survey_answered_at"]) == (38, 8, 8)
    assert sizes["channel"] == pytest.approx(9, abs=0.2)  # nearly all are Inbound
    assert sizes["item_price"] == pytest.approx(0.2 * 16, abs=0.3)  # known of a fifth


def test_figures_come_from_the_benchmark(tmp_path: Path) -> None:
    results = tmp_path / "stream.json"
    stream = {"cold": 50_000, "cpu_seconds_per_million": 27, "megabytes_per_second": 36}
    other = dict.fromkeys(stream, 1)
    rows = [{"baseline": "another", **other}, {"baseline": "this stream", **stream}]
    results.write_text(json.dumps({"results": rows}))
    found = figures(results)
    assert (found.rows_a_core_second, found.message_bytes, found.is_measured) == (30_000, 720, True)


def test_figures_without_a_benchmark_are_the_costs_assumptions(tmp_path: Path) -> None:
    found = figures(tmp_path / "stream.json")
    assert (found.rows_a_core_second, found.message_bytes, found.is_measured) == (10_000, 711, False)


def test_tables_have_a_column_per_volume_and_limits_in_order() -> None:
    loads = load_table(FIGURES, SETTINGS).splitlines()
    assert loads[0] == "| responses a day | 2,771 | 100,000 | 1,000,000 | 10,000,000 | 100,000,000 |"
    assert "| load jobs a day | 960 | 960 | 960 | 960 | 960 |" in loads
    limits = limits_table(FIGURES, SETTINGS).splitlines()
    assert "| one core of Spark takes 10,000 rows/s | 430,000,000 |" in limits
    assert limits[-1].endswith("| never |")


def test_parts_are_inserted_between_their_markers() -> None:
    text = "before\n<!-- a -->\nold\n<!-- /a -->\nafter"
    assert fill_in(text, {"a": "new"}) == "before\n<!-- a -->\nnew\n<!-- /a -->\nafter"
    with pytest.raises(KeyError, match="no <!-- b -->"):
        fill_in(text, {"b": "new"})
