"""The dashboard's account may read the datasets marts and ops: nothing that a customer wrote is to be read there."""

import json
import re
from collections.abc import Iterator
from typing import Any

from csat.bigquery.query import Query
from csat.bigquery.tables import LANDED_MESSAGES, OPS_SCHEMAS
from csat.contract.landing import COLUMNS
from csat.contract.settings import ROOT
from csat.reporting import queries
from csat.reporting.report import exposed_marts, report

QUOTES = {"customer_remarks", "payload"}
BIGQUERY_FOLDER = OPS_SCHEMAS.parent


def read_by_views(manifest: dict[str, Any], names: list[str]) -> Iterator[str]:
    """The tables and sources that a reader of these needs access to: those themselves, and what is behind a view."""
    for name in names:
        node = manifest["nodes"].get(name)
        if node and node["config"]["materialized"] == "view":
            yield from read_by_views(manifest, node["depends_on"]["nodes"])
        else:
            yield name


def exposed(manifest: dict[str, Any], name: str) -> set[str]:
    """The tables and views that an exposure names."""
    [nodes] = [one["depends_on"]["nodes"] for one in manifest["exposures"].values() if one["name"] == name]
    return {manifest["nodes"][node]["alias"] for node in nodes}


def test_the_exposure_of_the_dashboard_names_what_its_queries_read(manifest: dict[str, Any]) -> None:
    read = {table for query in queries.QUERIES.values() for table in query.tables("marts")}
    assert exposed(manifest, "local_dashboard") == read


def test_the_dashboard_runs_every_query_and_no_statement_of_its_own() -> None:
    code = "".join(file.read_text() for file in (ROOT / "csat" / "dashboard").rglob("*.py"))
    names = {name for name, value in vars(queries).items() if value in queries.QUERIES.values()}
    assert len(names) == len(queries.QUERIES)
    assert {name for name in names if not re.search(rf"\bqueries\.{name}\b", code)} == set()
    assert re.findall(r"""table\(\s*"(?!ops")\w+"|\bfrom marts\.""", code) == []


def test_the_exposure_of_the_report_names_the_marts_of_its_sources(manifest: dict[str, Any]) -> None:
    read = {source.mart for source in report().sources.values()}
    assert exposed(manifest, "data_studio_report") == read == exposed_marts()


def test_the_dashboard_reads_the_landing_table_through_the_view_for_readers_only(manifest: dict[str, Any]) -> None:
    exposures = {exposure["name"]: exposure["depends_on"]["nodes"] for exposure in manifest["exposures"].values()}
    needed = set(read_by_views(manifest, exposures["local_dashboard"]))
    assert {name for name in needed if name.startswith("source.")} == {f"source.csat.ops.{LANDED_MESSAGES}"}
    assert "model.csat.response_series.v1" in needed


def test_no_mart_quotes_a_customer(manifest: dict[str, Any]) -> None:
    marts = [node for node in manifest["nodes"].values() if node["fqn"][1:2] == ["marts"]]
    columns = {column for node in marts for column in node["columns"]}
    assert "has_remarks" in columns
    assert columns & QUOTES == set()


def test_no_table_of_ops_quotes_a_customer() -> None:
    fields = {field["name"] for file in OPS_SCHEMAS.glob("*.json") for field in json.loads(file.read_text())}
    assert "kafka_topic" in fields
    assert fields & QUOTES == set()


def test_the_view_for_readers_names_its_columns_and_leaves_out_what_quotes_a_customer() -> None:
    text = Query.read(str(BIGQUERY_FOLDER / "tables.py"), LANDED_MESSAGES).text
    selected = re.findall(r"^    (\w+),?$", text, re.MULTILINE)
    assert selected == ["response_id", "rejection_reason", "survey_answered_at", "kafka_timestamp", "ingested_at"]
    assert "*" not in text
    assert {column.name for column in COLUMNS} >= {*selected, *QUOTES}
