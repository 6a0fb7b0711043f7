"""The bytes that BigQuery would read, against sums made by hand."""

from datetime import date

import pytest
import sqlglot

from tools.bench.bigquery_scans import Catalog, Measured, Scan

DATES = [date(2026, 10, day) for day in range(1, 11)]
VIEW = "create view `p`.`d`.`seen` as select day, city, score from `p`.`d`.`responses` where score is not null"
TABLE = """
create table `p`.`d`.`responses` (day date not null, at timestamp, city string, price numeric(12, 2), score int64)
partition by day as (select 1)
"""


@pytest.fixture
def catalog() -> Catalog:
    """1,000 responses on each of ten days, whose cities have 6 bytes; a table of 50 names without partitions."""
    made = Catalog(DATES, {"responses": Measured(10_000, {"city": 8.0}), "names": Measured(50)})
    for sql in (TABLE, VIEW):
        made.define(sqlglot.parse_one(sql, dialect="bigquery"))
    made.add(("p", "d", "names"), {"name": "STRING", "is_known": "BOOL"}, None)
    return made


def scans(catalog: Catalog, sql: str) -> list[Scan]:
    return catalog.scans(sqlglot.parse_one(sql, dialect="bigquery"))


def test_a_query_reads_its_columns_of_all_partitions(catalog: Catalog) -> None:
    [scan] = scans(catalog, "select city, sum(score) from `p`.`d`.`responses` group by city")
    assert scan == Scan("responses", 2, 10, 10_000, 10_000 * (2 + 6 + 8))


def test_unused_columns_are_not_read(catalog: Catalog) -> None:
    [scan] = scans(catalog, "with a as (select * from `p`.`d`.`responses`) select max(price) from a")
    assert (scan.columns, scan.scanned) == (1, 10_000 * 16)


@pytest.mark.parametrize("normalized", ["normalize(city, nfc)", "normalize_and_casefold(city, nfkc)"])
def test_the_form_of_a_normalized_text_is_no_column(catalog: Catalog, normalized: str) -> None:
    [scan] = scans(catalog, f"select {normalized} as city from `p`.`d`.`responses`")
    assert (scan.columns, scan.scanned) == (1, 10_000 * 8)


@pytest.mark.parametrize(
    ("condition", "partitions"),
    [
        ("day in (date '2026-10-01', date '2026-10-02')", 2),
        ("date(day) in (date '2026-10-01')", 1),
        ("day = date '2026-10-03'", 1),
        ("day >= date '2026-10-09'", 2),
        ("day >= timestamp('2026-10-09')", 2),
        ("day <= date '2026-10-03' and score > 3", 3),
        ("day between date_sub(least(date '2026-10-05', date '2026-10-08'), interval 2 day) and date '2026-10-06'", 4),
        ("day between date '2026-10-02' and greatest(date '2026-10-05')", 4),
        ("day in (date '2026-10-01', current_date())", 10),
        ("day >= date '2026-10-09' or score > 3", 10),
        ("day >= (select max(day) from `p`.`d`.`responses`)", 10),
        ("score in (1, 2)", 10),
        ("day in (select day from `p`.`d`.`responses`)", 10),
        ("date(at) = date '2026-10-01'", 10),
    ],
)
def test_only_constants_prune_partitions(catalog: Catalog, condition: str, partitions: int) -> None:
    read = scans(catalog, f"select score from `p`.`d`.`responses` where {condition}")
    assert {(scan.partitions, scan.rows) for scan in read} == {(partitions, 1_000 * partitions)}


def test_a_condition_is_pushed_down_through_a_view(catalog: Catalog) -> None:
    sql = "with s as (select * from `p`.`d`.`seen`) select city from s where day = date '2026-10-01'"
    [scan] = scans(catalog, sql)
    assert (scan.table, scan.partitions, scan.columns) == ("responses", 1, 3)  # city, day and the view's score


def test_a_join_prunes_no_partition(catalog: Catalog) -> None:
    sql = "select a.city from `p`.`d`.`responses` as a join unnest([date '2026-10-01']) as day on a.day = day"
    assert scans(catalog, sql)[0].partitions == 10


def test_an_unpartitioned_table_is_read_completely(catalog: Catalog) -> None:
    assert scans(catalog, "select is_known from `p`.`d`.`names`") == [Scan("names", 1, None, 50, 50)]


def test_a_replaced_partition_and_its_replacement_are_read_with_all_columns(catalog: Catalog) -> None:
    temporary = TABLE.replace("`responses`", "`responses__dbt_tmp12`")
    catalog.define(sqlglot.parse_one(temporary, dialect="bigquery"))
    merge = """
    merge into `p`.`d`.`responses` as old using (select * from `p`.`d`.`responses__dbt_tmp12`) as new on false
    when not matched by source and date(old.day) in (date '2026-10-04') then delete
    when not matched then insert (`day`) values (`day`)
    """
    row = 8 + 8 + (2 + 6) + 16 + 8
    assert scans(catalog, merge) == [Scan("responses", 5, 1, 1_000, 1_000 * row)] * 2


def test_creating_a_view_reads_nothing(catalog: Catalog) -> None:
    assert scans(catalog, VIEW) == []


def test_small_reads_are_billed_as_ten_megabytes() -> None:
    assert Scan("a", 1, 1, 1, 8).billed == 10_485_760
    assert Scan("a", 1, 1, 1, 20_000_000).billed == 20_000_000
