"""The module is valid, its own tests pass, and it says what the code says."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from csat.bigquery import tables
from csat.contract.alerts import AlertKey, Severity
from csat.contract.settings import ROOT, Settings
from csat.control.open_alerts import Notice
from csat.kafka.topic import TopicFacts
from csat.local import kafka
from csat.monitoring import delivery
from tests.terraform.conftest import CLOUD_GUIDE, MODULE, ModuleTest, Terraform


def settings() -> Settings:
    return Settings(_env_file=None)


def blocks(text: str, kind: str) -> dict[str, str]:
    """The top-level blocks of a kind in a file of Terraform's, by name."""
    return dict(re.findall(rf'^{kind} "(\w+)" {{\n(.*?)^}}', text, re.MULTILINE | re.DOTALL))


def test_files_are_formatted(terraform: Terraform) -> None:
    done = terraform("fmt", "-check", "-recursive")
    assert (done.returncode, done.stdout) == (0, ""), "run `make format`"


def test_module_is_valid(terraform: Terraform) -> None:
    done = terraform("validate", "-no-color")
    assert done.returncode == 0, done.stderr


def test_every_run_of_the_modules_own_tests_passes(module_test: ModuleTest) -> None:
    assert [run for run, status in module_test.statuses.items() if status != "pass"] == [], module_test.messages
    files = {f"tests/{path.name}" for path in MODULE.glob("tests/*.tftest.hcl")}
    assert {path for path, _ in module_test.statuses} == files


def test_guide_says_how_many_runs_there_are(module_test: ModuleTest) -> None:
    assert f"`validate`, {len(module_test.statuses)} runs of its tests" in CLOUD_GUIDE


def test_every_variable_has_a_type_and_a_description() -> None:
    variables = {
        name: body for file in MODULE.glob("*.tf") for name, body in blocks(file.read_text(), "variable").items()
    }
    assert "project_id" in variables
    assert [name for name, body in variables.items() if not re.search(r"^  type +=", body, re.MULTILINE)] == []
    assert [name for name, body in variables.items() if not re.search(r"^  description +=", body, re.MULTILINE)] == []


def test_stub_provider_refuses_an_argument_that_google_has_not(terraform: Terraform, tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('resource "google_bigquery_dataset" "main" { dataset = "a" }')
    done = terraform("validate", "-no-color", folder=tmp_path)
    assert done.returncode == 1
    assert 'An argument named "dataset" is not expected here.' in done.stderr
    assert 'The argument "dataset_id" is required' in done.stderr


def test_stub_provider_refuses_to_set_what_google_sets(terraform: Terraform, tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('resource "google_bigquery_dataset" "main" {\ndataset_id = "a"\netag = "b"\n}')
    done = terraform("validate", "-no-color", folder=tmp_path)
    assert done.returncode == 1
    assert '"etag" is set by the provider.' in done.stderr


def test_stub_provider_refuses_values_as_google_does(terraform: Terraform, tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(
        'resource "google_service_account" "main" { account_id = "cs-ci" }\n'
        'resource "google_project_iam_member" "main" {\nproject = "shop"\nrole = "r"\nmember = "qm9yj51a"\n}\n'
        'resource "google_compute_subnetwork" "main" {\nname = "a"\nnetwork = "n"\nip_cidr_range = "fd20::/20"\n}\n'
    )
    done = terraform("validate", "-no-color", folder=tmp_path)
    assert done.returncode == 1
    for value in ('account_id = "cs-ci"', 'member = "qm9yj51a"', 'ip_cidr_range = "fd20::/20"'):
        assert value in done.stderr


def test_topic_takes_the_time_of_arrival_as_the_local_broker_does(module_test: ModuleTest) -> None:
    run = "kafka_keeps_three_copies_for_a_week_and_refuses_to_be_deleted"
    topic = module_test.planned(run, "google_managed_kafka_topic")["google_managed_kafka_topic.survey_responses[0]"]
    local = dict(line.split("=", 1) for line in kafka.properties(settings()).splitlines())
    assert topic["configs"]["message.timestamp.type"] == local["log.message.timestamp.type"] == "LogAppendTime"


def test_topic_has_no_problem_that_a_check_of_csat_reports(module_test: ModuleTest) -> None:
    run = "kafka_keeps_three_copies_for_a_week_and_refuses_to_be_deleted"
    topic = module_test.planned(run, "google_managed_kafka_topic")["google_managed_kafka_topic.survey_responses[0]"]
    configs = topic["configs"]
    facts = TopicFacts(configs["message.timestamp.type"], configs["cleanup.policy"], int(configs["retention.ms"]))
    assert (facts.problems, facts.retention) == ([], "Kafka keeps messages: 168 h")


def test_landing_table_is_the_one_that_the_stack_makes(module_test: ModuleTest) -> None:
    planned = module_test.planned("names_are_handed_to_csat", "google_bigquery_table")
    table = planned["google_bigquery_table.survey_responses"]
    wanted = tables.landing_table(settings())
    assert table["table_id"] == wanted.table_id == "survey_responses"
    assert table["schema"] == (MODULE.parent / "csat/contract/landing_schema.json").read_text()
    assert table["clustering"] == wanted.clustering_fields == ["category", "channel", "agent_id"]
    assert wanted.time_partitioning is not None
    assert [(part["type"], part["field"]) for part in table["time_partitioning"]] == [("DAY", "ingested_at")]
    assert (wanted.time_partitioning.type_, wanted.time_partitioning.field) == ("DAY", "ingested_at")


def test_ops_tables_are_those_that_the_stack_makes(module_test: ModuleTest) -> None:
    planned = module_test.planned("names_are_handed_to_csat", "google_bigquery_table")
    in_ops = [table for table in planned.values() if table["dataset_id"] == "csat_ops"]
    made = {table["table_id"]: table for table in in_ops if not table["view"]}
    files = {path.stem: path for path in tables.OPS_SCHEMAS.glob("*.json")}
    assert "mart_builds" in files
    assert made.keys() == files.keys()
    for name, table in made.items():
        wanted = tables.ops_table(settings(), name)
        assert table["schema"] == files[name].read_text()
        assert table["clustering"] == wanted.clustering_fields
        fields = [part["field"] for part in table["time_partitioning"]]
        assert fields == ([wanted.time_partitioning.field] if wanted.time_partitioning else [])


def test_view_for_readers_is_the_one_that_the_stack_makes(module_test: ModuleTest) -> None:
    planned = module_test.planned("names_are_handed_to_csat", "google_bigquery_table")
    view = planned["google_bigquery_table.landed_messages"]
    shop = Settings(_env_file=None, project_id="shop-data-1")
    begin = f"create view if not exists `shop-data-1.csat_ops.{view['table_id']}` as\n"
    assert tables.landed_messages_statement(shop) == begin + view["view"][0]["query"]


def test_scratch_tables_live_as_long_as_those_of_the_stack(module_test: ModuleTest) -> None:
    datasets = module_test.planned("names_are_handed_to_csat", "google_bigquery_dataset")
    hours = datasets['google_bigquery_dataset.main["scratch"]']["default_table_expiration_ms"] / 3_600_000
    assert hours == tables.SCRATCH_HOURS == 24


def test_nothing_that_is_history_ends_by_itself(module_test: ModuleTest) -> None:
    planned = module_test.planned("names_are_handed_to_csat", "google_bigquery_table")
    datasets = module_test.planned("names_are_handed_to_csat", "google_bigquery_dataset")
    partitions = [part for table in planned.values() for part in table["time_partitioning"]]
    assert (len(planned), len(datasets), len(partitions)) == (2 + len(list(tables.OPS_SCHEMAS.glob("*.json"))), 5, 1)
    assert [name for name, table in planned.items() if table.get("expiration_time")] == []
    assert [name for name, dataset in datasets.items() if dataset.get("default_partition_expiration_ms")] == []
    assert [part for part in partitions if part.get("expiration_ms")] == []


def test_alerts_are_made_when_their_metric_is_known(module_test: ModuleTest) -> None:
    found = module_test.waits_for("what_lands_and_what_fails_is_watched", "google_monitoring_alert_policy")
    assert len(found) == 3
    assert all("time_sleep.load_jobs_are_known" in each for each in found)


def notice_line(severity: Severity, status: Literal["opened", "reminded", "recovered"]) -> str:
    """The line of the log for an alert."""
    now = datetime.now(UTC)
    return delivery.sentence(
        Notice(
            notice_id="1",
            notified_at=now,
            alert_key=AlertKey.STREAM_RUN_FAILED,
            about="",
            severity=severity,
            status=status,
            text="it fails",
            opened_at=now,
        )
    )


def test_only_critical_alerts_are_found_in_the_log_of_the_job(module_test: ModuleTest) -> None:
    policy = module_test.made("airflow_is_watched_where_it_is", "google_monitoring_alert_policy.critical[0]")
    matched = policy["conditions"][0]["condition_matched_log"][0]
    of_job, of_airflow = matched["filter"].split(" OR ")
    pattern = re.findall(r'textPayload=~"(.*)"', of_job)[0]
    assert re.search(pattern, notice_line(Severity.CRITICAL, "opened"))
    assert re.search(pattern, notice_line(Severity.CRITICAL, "reminded"))
    assert not re.search(pattern, notice_line(Severity.CRITICAL, "recovered"))
    assert not re.search(pattern, notice_line(Severity.WARNING, "opened"))
    key = re.findall(r'REGEXP_EXTRACT\(textPayload, "(.*)"\)', matched["label_extractors"]["alert_key"])[0]
    assert re.findall(key, notice_line(Severity.CRITICAL, "opened")) == ["stream_run_failed"]
    unsent = re.findall(r'textPayload:"(.*)"', of_airflow)[0]
    assert f'logger.warning("{unsent} ' in (ROOT / "csat/airflow/alerts.py").read_text()


def test_project_is_read_when_its_api_is_on(module_test: ModuleTest) -> None:
    changes = module_test.plans["the_budget_is_planned_before_its_api_is_on"]["resource_changes"]
    when = {change["address"]: change["change"]["actions"] for change in changes}
    assert when["data.google_project.main[0]"] == ["read"]  # at apply


@pytest.mark.parametrize(
    "run", ["names_are_handed_to_csat", "kafka_keeps_three_copies_for_a_week_and_refuses_to_be_deleted"]
)
def test_output_holds_settings_of_csat(module_test: ModuleTest, run: str) -> None:
    variables = module_test.output(run, "env_vars")
    assert all(name.startswith("CSAT_") for name in variables)
    fields = {name.removeprefix("CSAT_").lower(): value for name, value in variables.items()}
    assert set(fields) <= set(Settings.model_fields)
    taken = Settings(_env_file=None, **fields)
    assert (taken.target, taken.project_id, taken.location) == ("gcp", "shop-data-1", "EU")
    assert taken.dataset("raw") == "csat_raw"
    assert taken.staging_uri == "gs://shop-data-1-csat-staging"
    assert taken.kafka_topic == settings().kafka_topic == "messages"
