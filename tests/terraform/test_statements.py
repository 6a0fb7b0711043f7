"""Accounts may read and write what the statements of the code that runs as them read and write."""

import importlib
import re
from collections.abc import Iterator
from typing import get_args

import pytest

from csat.bigquery.query import Query
from csat.contract.settings import ROOT, DatasetRole
from tests.terraform.conftest import ModuleTest

RUN = "datasets_are_open_to_those_who_need_them"
OF_STREAM = "serviceAccount:csat-stream@shop-data-1.iam.gserviceaccount.com"
WRITTEN = re.compile(
    r"(?:insert into|update|delete from|merge into|truncate table|create(?: or replace)? table(?: if not exists)?)"
    r"\s+`?(raw|candidate|marts|ops|scratch)\."
)


def stream_queries() -> Iterator[Query]:
    """The statements of the modules of csat.bigquery that the stream imports."""
    texts = [path.read_text() for path in (ROOT / "spark").glob("*.py")]
    for name in sorted({name for text in texts for name in re.findall(r"^ *from csat\.bigquery\.(\w+)", text, re.M)}):
        values = vars(importlib.import_module(f"csat.bigquery.{name}")).values()
        yield from (value for value in values if isinstance(value, Query))


def grants(module_test: ModuleTest, kind: str) -> set[tuple[str, str, str]]:
    """Member, dataset or table, and role."""
    made = [one["values"] for one in module_test.states[RUN]["root_module"]["resources"] if one["type"] == kind]
    return {(one["member"], f"{one['dataset_id']}.{one.get('table_id', '')}".rstrip("."), one["role"]) for one in made}


def test_stream_may_read_every_table_that_its_statements_name(module_test: ModuleTest) -> None:
    named = {
        f"csat_{role}.{name}"
        for query in stream_queries()
        for role in get_args(DatasetRole)
        for name in query.tables(role)
    }
    assert named == {"csat_raw.survey_responses", "csat_ops.accepted_losses"}
    of_stream = {
        table for member, table, _ in grants(module_test, "google_bigquery_table_iam_member") if member == OF_STREAM
    }
    assert named == of_stream


@pytest.mark.parametrize("account", ["marts", "airflow"])
def test_who_builds_the_marts_may_write_what_a_build_and_its_lease_write(module_test: ModuleTest, account: str) -> None:
    texts = {path.stem: path.read_text() for path in (ROOT / "csat/marts/sql").glob("*.sql")}
    written = {f"csat_{name}" for text in texts.values() for name in WRITTEN.findall(text)}
    assert {f"csat_{name}" for name in WRITTEN.findall(texts["claim_lease"])} == {"csat_ops"}
    member = f"serviceAccount:csat-{account}@shop-data-1.iam.gserviceaccount.com"
    found = {
        dataset
        for who, dataset, role in grants(module_test, "google_bigquery_dataset_iam_member")
        if (who, role) == (member, "roles/bigquery.dataEditor")
    }
    assert written <= found
