"""Statements that BigQuery takes and statements that it refuses, as its documentation says."""

from subprocess import CompletedProcess

import pytest

from tests.unit.tools.sqlcheck.conftest import Check

TABLES = """
create table `p`.`d`.`things` (
    id string not null, amount int64, price numeric(12, 2), ratio float64, is_new bool, seen_at timestamp,
    seen_date date, details json, tags array<string>, name struct<first string, last string>
) partition by seen_date cluster by id;
create table `p`.`d`.`others` (id string, amount int64, seen_at timestamp);
"""

TAKEN = {
    "names_with_and_without_project": "select things.id from d.things union all select id from `p.d.others`",
    "qualify": "select id from d.things where true qualify row_number() over (partition by id order by seen_at) = 1",
    "percentile_over_window": "select percentile_cont(ratio, 0.5) over (partition by id) from d.things",
    "named_window": "select sum(amount) over w as total from d.things window w as (partition by id)",
    "integer_in_float_column": "insert into d.things (id, ratio) values ('a', 1)",
    "text_literal_as_date": "select id from d.things where seen_date = '2026-01-05'",
    "timestamp_diff_in_seconds": "select timestamp_diff(seen_at, seen_at, second) as seconds from d.things",
    "max_by": "select max_by(id, amount) as id from d.things",
    "full_join_on_equality": "select 1 as one from d.things full join d.others using (id)",
    "partition_by_truncated_timestamp": "create table d.t1 (a timestamp) partition by timestamp_trunc(a, hour)",
    "view_is_found_by_the_next_statement": "create view d.v1 as select id from d.things; select id from d.v1",
    "required_column_from_a_query": "create or replace table d.t2 (id string not null) as (select id from d.things)",
    "variables_and_blocks": (
        "declare dates array<date>; set (dates) = (select as struct array_agg(distinct seen_date) from d.things);"
        "if array_length(dates) > 0 then delete from d.things where seen_date in unnest(dates); end if"
    ),
    "merge_on_false": (
        "merge into d.things as old using (select 'a' as id) as answer on false "
        "when not matched by source and old.seen_date in (date '2026-01-05') then delete "
        "when not matched then insert (id) values (id)"
    ),
}

REFUSED = {
    # names and scope
    "unknown_column": "select ghost from d.things",
    "unknown_table": "select 1 as one from d.ghosts",
    "alias_in_where": "select amount + 1 as more from d.things where more > 1",
    "alias_in_the_same_list": "select amount + 1 as more, more + 1 as most from d.things",
    "two_columns_of_one_name_in_a_table": "create table d.x1 as select id, id from d.things",
    "column_without_name_in_a_table": "create table d.x2 as select amount + 1 from d.things",
    "reserved_word_as_alias": "select amount groups from d.things",
    "variable_of_another_script": "select dates",
    # types
    "number_as_condition": "select id from d.things where amount",
    "branches_of_two_types": "select if(true, 1, 'a') as mixed",
    "union_of_two_types": "select amount from d.things union all select id from d.things",
    "timestamp_equals_date": "select id from d.things where seen_at = seen_date",
    "text_in_integer_column": "insert into d.things (amount) values ('1')",
    "type_of_another_database": "create table d.x3 (a varchar)",
    "cast_to_another_databases_type": "select cast(id as text) as id from d.things",
    "uuid_type": "select cast(id as uuid) as id from d.things",
    "text_column_equals_number": "select id from d.things where id = 1",
    "json_equals_json": "select id from d.things where details = details",
    # another database's dialect
    "double_colon_cast": "select id::string from d.things",
    "double_equals": "select id from d.things where id == 'a'",
    "ilike": "select id from d.things where id ilike 'a'",
    "distinct_on": "select distinct on (id) id from d.things",
    "array_slice": "select tags[1:2] from d.things",
    "interval_text": "select timestamp_add(seen_at, interval '1 day') from d.things",
    "extract_epoch": "select extract(epoch from seen_at) from d.things",
    "now": "select now()",
    "median": "select median(ratio) from d.things",
    "strftime": "select strftime(seen_at, '%Y') from d.things",
    # functions
    "timestamp_diff_in_months": "select timestamp_diff(seen_at, seen_at, month) from d.things",
    "timestamp_add_month": "select timestamp_add(seen_at, interval 1 month) from d.things",
    "count_distinct_of_two": "select count(distinct id, amount) from d.things",
    "count_distinct_in_an_ordered_window": "select count(distinct id) over (order by amount) from d.things",
    "percentile_without_over": "select percentile_cont(ratio, 0.5) from d.things",
    "ordered_array_agg_over": "select array_agg(id order by id) over () from d.things",
    "function_of_the_analyser_only": "select array_max([1, 2])",
    # grouping and joins
    "column_not_grouped": "select id, amount from d.things group by id",
    "distinct_json": "select distinct details from d.things",
    "order_by_array": "select id from d.things order by tags",
    "union_without_all_or_distinct": "select id from d.things union select id from d.others",
    "join_without_on": "select 1 as one from d.things join d.others",
    "full_join_without_equality": "select 1 as one from d.things full join d.others on things.amount < others.amount",
    # definitions and changes
    "partition_by_timestamp": "create table d.x4 (a timestamp) partition by a",
    "partition_by_text": "create table d.x5 (a string) partition by a",
    "partition_by_missing_column": "create table d.x6 (a date) partition by b",
    "partition_by_week": "create table d.x7 (a date) partition by date_trunc(a, week)",
    "five_cluster_columns": "create table d.x8 (a int64, b int64, c int64, d int64, e int64) cluster by a, b, c, d, e",
    "cluster_by_float": "create table d.x9 (a float64) cluster by a",
    "cluster_by_bytes": "create table d.x12 (a bytes) cluster by a",
    "cluster_by_array": "create table d.x10 (a array<string>) cluster by a",
    "unknown_option": "create table d.x11 (a int64) options (colour = 'red')",
    "update_without_where": "update d.things set amount = 1",
    "delete_without_where": "delete from d.things",
    "missing_column_in_merge": (
        "merge into d.things as t using d.others as o on t.id = o.id when matched then update set ghost = 1"
    ),
    "undeclared_variable": "begin set ghost = 1; end",
    "wrong_statement_in_a_block": "if true then select ghost from d.things; end if",
}


@pytest.fixture(scope="module")
def outcome(check: Check) -> CompletedProcess[str]:
    statements = {"tables": TABLES, **TAKEN, **REFUSED}
    return check({"project": "p", "statements": [{"origin": origin, "sql": sql} for origin, sql in statements.items()]})


@pytest.fixture(scope="module")
def refused(outcome: CompletedProcess[str]) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in outcome.stdout.splitlines() if ": " in line)


@pytest.mark.parametrize("name", ["tables", *TAKEN])
def test_check_takes(name: str, refused: dict[str, str], outcome: CompletedProcess[str]) -> None:
    assert refused.get(name) is None
    assert outcome.stderr == ""


@pytest.mark.parametrize("name", REFUSED)
def test_check_refuses(name: str, refused: dict[str, str]) -> None:
    assert name in refused


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("partition_by_timestamp", "PARTITION BY: column a is TIMESTAMP, not DATE; truncate it"),
        ("partition_by_week", "PARTITION BY: unit WEEK is not allowed"),
        ("five_cluster_columns", "CLUSTER BY takes 4 columns at most"),
        ("cluster_by_bytes", "CLUSTER BY: column a is of a type that cannot cluster"),
        (
            "full_join_without_equality",
            "An outer join needs a condition that is an equality of fields from both sides",
        ),
        ("unknown_column", "Unrecognized name: ghost [at 1:8]"),
    ],
)
def test_message_says_what_is_wrong(name: str, message: str, refused: dict[str, str]) -> None:
    assert refused[name] == message


def test_summary_counts_statements_and_refusals(outcome: CompletedProcess[str]) -> None:
    count = 1 + len(TAKEN) + len(REFUSED)
    assert outcome.stdout.splitlines()[-1] == f"{count} statements checked, {len(REFUSED)} refused"
    assert outcome.returncode == 1
