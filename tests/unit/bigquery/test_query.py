"""Statements in files name their tables by the role of their dataset."""

from csat.bigquery.query import Query
from csat.contract.settings import Settings

SETTINGS = Settings(project_id="shop", dataset_prefix="cx", _env_file=None)
JOINED = Query("select 1 from raw.survey_responses join marts.agg_daily on true where draw.x = 1")


def test_a_statement_has_the_full_names_of_its_tables() -> None:
    assert JOINED.sql(SETTINGS) == (
        "select 1 from `shop.cx_raw.survey_responses` join `shop.cx_marts.agg_daily` on true where draw.x = 1"
    )


def test_a_query_knows_the_tables_of_a_dataset() -> None:
    assert (JOINED.tables("raw"), JOINED.tables("marts")) == ({"survey_responses"}, {"agg_daily"})


def test_places_are_filled_by_name() -> None:
    query = Query("select {{ column }}, {{ other }} from marts.{{ mart }}").filled(column="x", mart="agg_daily")
    assert query == Query("select x, {{ other }} from marts.agg_daily")


def test_a_query_is_read_from_the_folder_beside_the_module() -> None:
    assert "count(*)" in Query.read("csat/marts/build.py", "response_count").text
