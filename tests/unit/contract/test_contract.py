import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from csat.contract import landing
from csat.contract.event import SurveyResponse
from csat.contract.settings import ROOT, Settings, env_example

RESPONSE = SurveyResponse(
    response_id=UUID("11111111-2222-3333-4444-555555555555"),
    case_id=UUID("66666666-7777-8888-9999-000000000000"),
    channel="Inbound",
    category="Returns",
    sub_category="Reverse Pickup Enquiry",
    item_price=Decimal("979.50"),
    issue_reported_at=datetime(2026, 1, 5, 9, 0, tzinfo=UTC),
    issue_responded_at=datetime(2026, 1, 5, 9, 4, tzinfo=UTC),
    survey_answered_at=datetime(2026, 1, 5, 20, 0, tzinfo=UTC),
    agent_id="AG-0001",
    agent_name="Ada",
    supervisor_name="Sam",
    manager_name="Max",
    tenure_bucket=">90",
    shift="Morning",
    csat_score=5,
)


def settings(**values: Any) -> Settings:  # invalid ones are intended
    return Settings(_env_file=None, **values)


def test_landing_columns_have_this_order() -> None:
    # Only append, never change: the table exists and Parquet files may be in flight.
    assert [column.name for column in landing.COLUMNS] == [
        "response_id",
        "schema_version",
        "case_id",
        "channel",
        "category",
        "sub_category",
        "order_id",
        "product_category",
        "item_price",
        "customer_city",
        "customer_remarks",
        "issue_reported_at",
        "issue_responded_at",
        "survey_answered_at",
        "agent_id",
        "agent_name",
        "supervisor_name",
        "manager_name",
        "tenure_bucket",
        "shift",
        "csat_score",
        "kafka_topic",
        "kafka_topic_id",
        "kafka_partition",
        "kafka_offset",
        "kafka_timestamp",
        "ingested_at",
        "batch_id",
        "rejection_reason",
        "payload",
    ]


def test_landing_schema_file_matches_the_code() -> None:
    assert landing.SCHEMA_FILE.read_text() == landing.bigquery_schema_json(), "run `make generated`"


@pytest.mark.parametrize(
    ("name", "type_and_mode"),
    [
        ("response_id", {"type": "STRING", "mode": "NULLABLE"}),
        ("csat_score", {"type": "INTEGER", "mode": "NULLABLE"}),
        ("item_price", {"type": "NUMERIC", "mode": "NULLABLE", "precision": "12", "scale": "2"}),
        ("survey_answered_at", {"type": "TIMESTAMP", "mode": "NULLABLE"}),
        ("payload", {"type": "BYTES", "mode": "NULLABLE"}),
    ],
)
def test_landing_schema_file_describes(name: str, type_and_mode: dict[str, str]) -> None:
    fields = {field["name"]: field for field in json.loads(landing.SCHEMA_FILE.read_text())}
    description = fields[name].pop("description")
    assert fields[name] == {"name": name, **type_and_mode}
    assert description.endswith(".")


def test_only_required_event_columns_must_be_in_a_message() -> None:
    assert [column.name for column in landing.EVENT_COLUMNS if not column.is_required] == [
        "order_id",
        "product_category",
        "item_price",
        "customer_city",
        "customer_remarks",
    ]


def test_these_columns_are_the_customers_and_an_erasure_removes_them() -> None:
    assert [column.name for column in landing.CUSTOMER_COLUMNS] == [
        "response_id",
        "case_id",
        "order_id",
        "product_category",
        "item_price",
        "customer_city",
        "customer_remarks",
        "payload",
    ]


def test_a_field_without_a_mark_of_whose_it_is_is_refused() -> None:
    with pytest.raises(TypeError, match="does not say whose data survey_language is"):
        landing.event_column("survey_language", FieldInfo(annotation=str, description="Language."))


def test_landing_score_is_bounded_by_the_event() -> None:
    score = next(column for column in landing.COLUMNS if column.name == "csat_score")
    assert (score.minimum, score.maximum) == (1, 5)


def test_message_has_the_agent_as_key_and_the_event_as_value() -> None:
    key, value = RESPONSE.to_message()
    assert key == b"AG-0001"
    assert SurveyResponse.model_validate_json(value) == RESPONSE


def test_message_has_the_price_as_a_number_and_times_with_zone() -> None:
    value = json.loads(RESPONSE.to_message()[1])
    assert value["item_price"] == 979.5
    assert value["survey_answered_at"] == "2026-01-05T20:00:00Z"
    assert value["order_id"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("csat_score", 6), ("item_price", -1), ("survey_answered_at", "2026-01-05"), ("agent_name", "\u00a0\u200b")],
)
def test_event_refuses(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        SurveyResponse.model_validate({**RESPONSE.model_dump(), field: value})


def test_env_example_matches_the_code() -> None:
    assert (ROOT / ".env.example").read_text() == env_example(), "run `make generated`"


def test_env_example_shows_a_setting_with_its_meaning_and_default() -> None:
    assert "# Topic of the survey responses.\n# CSAT_KAFKA_TOPIC=messages\n" in env_example()


def test_settings_name_the_setting_and_the_fix_when_the_cloud_trigger_is_too_short() -> None:
    with pytest.raises(ValidationError, match=r"CSAT_TRIGGER_SECONDS=60 is too short.*Set 75 or more"):
        settings(target="gcp", project_id="shop", trigger_seconds=60)


def test_settings_allow_a_short_trigger_on_one_machine() -> None:
    assert settings(trigger_seconds=1).trigger == 1


def test_settings_name_the_setting_when_the_cloud_has_no_project() -> None:
    with pytest.raises(ValidationError, match="CSAT_PROJECT_ID must name the Google Cloud project"):
        settings(target="gcp")


def test_settings_run_the_stream_on_dataproc_on_google_cloud_by_default() -> None:
    assert settings(target="gcp", project_id="shop").is_on_dataproc
    assert not settings(target="gcp", project_id="shop", stream_backend="supervisord").is_on_dataproc
    assert not settings().is_on_dataproc


def test_settings_build_the_marts_less_often_where_every_statement_bills() -> None:
    assert settings().marts_every == 30
    assert settings(target="gcp", project_id="shop").marts_every == 900
    assert settings(target="gcp", project_id="shop", marts_every_seconds=60).marts_every == 60


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stream_backend": "dataproc"}, "CSAT_STREAM_BACKEND=dataproc needs CSAT_TARGET=gcp"),
        ({"checkpoint_uri": "gs://a/b"}, "CSAT_CHECKPOINT_URI=gs://a/b needs CSAT_STREAM_BACKEND=dataproc"),
        ({"target": "gcp", "project_id": "shop", "max_age_hours": 300}, "CSAT_MAX_AGE_HOURS=300 is more than 288"),
    ],
)
def test_settings_refuse_what_a_dataproc_batch_does_not_support(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        settings(**changes)


def test_settings_name_datasets_and_tables_by_role() -> None:
    assert settings(dataset_prefix="shop").dataset("marts") == "shop_marts"
    assert settings(project_id="p").table("raw", "survey_responses") == "p.csat_raw.survey_responses"


def test_settings_keep_the_state_folder_absolute() -> None:
    assert settings(state_dir=Path("state")).state.is_absolute()
