"""A hostile author of SQL, with the token: no statement and no job reaches a file beside its own and the buckets'."""

import contextlib
from pathlib import Path

import pytest
from google.api_core.exceptions import GoogleAPIError
from google.cloud import bigquery

from csat.bigquery.client import WarehouseError
from tests.integration.security.conftest import SECRET, Target

pytestmark = pytest.mark.integration

READS = [
    "select * from read_text('{private}/secret')",
    "select * from read_blob('{private}/secret')",
    "select * from read_csv('{private}/secret')",
    "select * from read_json('{private}/secret')",
    "select * from glob('{private}/*')",
    "select * from glob('{bucket}/../../../private/*')",
    "select * from read_text('{bucket}/../../../private/secret')",
    "select * from read_text('{bucket}/folder/secret')",
    "select * from read_text('{bucket}/file.csv')",
    "select * from st_read('{private}/secret')",
    "select * from `{private}/secret`",
    "create temp function f() returns string language js as 'return require(`fs`).readFileSync(`{private}/secret`)'; "
    "select f()",
    "select * from external_query('us.default', 'select pg_read_file(\"{private}/secret\")')",
    "copy csat_raw.survey_responses from '{private}/secret'",
    "attach '{private}/secret' as stolen",
    "load data into csat_raw.stolen from files (format = 'CSV', uris = ['file://{private}/secret'])",
]
WRITES = [
    "copy (select 1 as a) to '{private}/written'",
    "export data options (uri = 'gs://bucket/../../../private/written', format = 'CSV') as select 1 as a",
    "export data options (uri = 'gs://bucket/folder/written', format = 'CSV') as select 1 as a",
    "export data options (uri = 'file://{private}/written', format = 'CSV') as select 1 as a",
    "export data options (uri = '{private}/written', format = 'CSV') as select 1 as a",
    "export data options (uri = 'gs://bucket/ok', format = 'CSV', compression = 'none); copy (select 1 as a) to "
    "\\'{private}/written\\' (format csv') as select 1 as a",
    "export database '{private}/written'",
    "attach '{private}/written' as written",
    "create table written.main.t as select 1 as a",
    "create schema `../../private/written`",
    "install httpfs",
    "load httpfs",
    "set allowed_directories = ['/']",
    "set enable_external_access = true",
    "set lock_configuration = false",
    "set profiling_output = '{private}/written'",
    "pragma profiling_output = '{private}/written'",
    "pragma enable_profiling",
    "call enable_logging(storage = 'file', storage_path = '{private}/written')",
]


def places(target: Target) -> dict[str, Path]:
    return {"private": target.private, "bucket": target.bucket}


@pytest.mark.parametrize("sql", READS)
def test_a_statement_reads_no_file_of_the_owner(target: Target, sql: str) -> None:
    with pytest.raises(WarehouseError) as refused:
        target.warehouse.rows(sql.format(**places(target)))
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("sql", WRITES)
def test_a_statement_writes_no_file_of_the_owner(target: Target, sql: str) -> None:
    (target.private / "written").unlink(missing_ok=True)
    before = target.files()
    with contextlib.suppress(WarehouseError):  # some harm nobody
        target.warehouse.rows(sql.format(**places(target)))
    left = target.files() - before
    assert not {path for path in left if "written" in path}
    target.warehouse.rows("select 1 as still_answers")


def test_its_database_stays_locked(target: Target) -> None:
    rows = target.warehouse.rows("select name, value from duckdb_settings()")
    values = {row["name"]: row["value"] for row in rows}
    data = target.settings.state / "bigquery"
    folders = (data, data / "spilled", target.settings.staging_root)
    assert sorted(values["allowed_directories"].strip("[]").split(", ")) == sorted(f"{path}/" for path in folders)
    assert values["lock_configuration"] == "true"
    for name in ("enable_external_access", "autoload_known_extensions", "autoinstall_known_extensions"):
        assert values[name] == "false"


@pytest.mark.parametrize(
    "uri",
    [
        "file://{private}/secret",
        "{private}/secret",
        "gs://../../private/secret",
        "gs://bucket/../../../private/secret",
        "gs:///{private}/secret",
        "gs://bucket/folder/secret",
        "gs://bucket/folder/*",
        "gs://bucket/file.csv",
        "gs://bucket/f*",
        "http://127.0.0.1:1/secret",
    ],
)
def test_a_load_job_reads_the_buckets_only(target: Target, uri: str) -> None:
    config = bigquery.LoadJobConfig(source_format="CSV", autodetect=True)
    table = target.settings.table("scratch", "stolen")
    address = uri.format(**places(target))
    with pytest.raises(GoogleAPIError) as refused:
        target.warehouse.client.load_table_from_uri(address, table, job_config=config).result(timeout=30)
    assert SECRET not in str(refused.value)


def test_a_project_is_a_name_and_no_path(target: Target) -> None:
    before = target.files()
    for project in ("../../private/written", "x'; copy (select 1 as a) to '{private}/written'; --"):
        default = bigquery.DatasetReference(project.format(**places(target)), "d")
        config = bigquery.QueryJobConfig(default_dataset=default)
        with pytest.raises(GoogleAPIError, match="project"):
            target.warehouse.client.query("select 1", job_config=config).result(timeout=30)
    assert target.files() == before


def test_exports_and_loads_of_the_buckets_work(target: Target) -> None:
    """The way of the stream: Parquet from the bucket; and back into it."""
    sql = "export data options (uri = 'gs://bucket/new/{name}', format = '{name}', overwrite = true) as select 7 as a"
    for name in ("PARQUET", "CSV"):
        target.warehouse.rows(sql.format(name=name))
    table = target.settings.table("scratch", "loaded")
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_TRUNCATE")
    target.warehouse.client.load_table_from_uri("gs://bucket/new/PAR*", table, job_config=config).result(timeout=30)
    assert target.warehouse.rows(f"select a from `{table}`") == [{"a": 7}]
    assert (target.bucket / "new" / "CSV").read_text().split() == ["a", "7"]
