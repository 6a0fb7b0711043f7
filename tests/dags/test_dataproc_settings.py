"""What the settings decide on Google Cloud: the backend, what a batch is given, and the account that asks for it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from csat.airflow.backends import dataproc
from csat.airflow.backends.base import BackendError
from csat.airflow.backends.choose import backend
from csat.airflow.backends.dataproc import DataprocBackend
from csat.airflow.backends.dataproc_batch import new_batch
from csat.contract.settings import GOOGLE_KEY, GOOGLE_KEY_VARIABLE, MAX_BATCH_HOURS, Settings, get_settings
from csat.control.release import Release
from tests.dags.google_settings import make_settings
from tests.google_key import EMAIL, write_key


def test_a_batch_is_in_the_subnetwork_that_the_settings_name() -> None:
    name = "projects/shop/regions/europe-west1/subnetworks/csat"
    release = Release(job="a", packages="b", jars=(), md5={})
    batch = new_batch(make_settings(subnetwork=name), release, "t1")
    assert batch.environment_config.execution_config.subnetwork_uri == name


def test_a_batch_is_recycled_long_before_google_ends_it() -> None:
    settings = make_settings()
    batch = new_batch(settings, Release(job="a", packages="b", jars=(), md5={}), "t1")
    execution: Any = batch.environment_config.execution_config
    assert Settings.model_fields["max_age_hours"].default == settings.max_age_hours == 24
    assert timedelta(hours=MAX_BATCH_HOURS) == timedelta(days=12)  # what the settings accept at most
    assert execution.ttl == timedelta(days=13)
    assert "maximum value is 14 days" in " ".join((type(execution).__doc__ or "").rpartition("ttl (")[2].split())


def test_a_batch_has_the_settings_of_this_process_and_none_of_its_secrets_or_paths(tmp_path: Path) -> None:
    settings = make_settings(
        trigger_seconds=120, alert_webhook_url="https://hooks.example/secret", state_dir=tmp_path, dataproc_executors=3
    )
    properties = new_batch(settings, Release(job="a", packages="b", jars=(), md5={}), "t").runtime_config.properties
    prefix = "spark.dataproc.driverEnv."
    handed = {name.removeprefix(prefix): value for name, value in properties.items() if name.startswith(prefix)}
    assert handed.pop("PYTHONPATH") == properties["spark.executorEnv.PYTHONPATH"] == "./packages"
    assert (handed["CSAT_TARGET"], handed["CSAT_TRIGGER_SECONDS"]) == ("gcp", "120.0")
    assert not {"CSAT_ALERT_WEBHOOK_URL", "CSAT_STATE_DIR", "CSAT_KAFKA_PASSWORD"} & set(handed)
    assert "hooks.example" not in str(properties)
    fields: dict[str, Any] = {name.removeprefix("CSAT_").lower(): value for name, value in handed.items()}
    assert Settings(_env_file=None, **fields).trigger == 120
    assert (properties["spark.executor.instances"], properties["spark.dynamicAllocation.enabled"]) == ("3", "false")


def test_backend_on_google_cloud_is_dataproc_unless_the_stream_runs_on_a_machine() -> None:
    assert isinstance(backend(make_settings()), DataprocBackend)
    here = make_settings(stream_backend="supervisord", checkpoint_uri="")
    assert type(backend(here)).__name__ == "SupervisordBackend"


def test_all_missing_settings_are_named_at_once() -> None:
    with pytest.raises(BackendError, match="CSAT_REGION, CSAT_CODE_URI: make cloud-env"):
        backend(make_settings(region="", code_uri=""))


def test_a_login_that_a_batch_would_show_is_refused() -> None:
    login = {"kafka_sasl_mechanism": "SCRAM-SHA-512", "kafka_oauth_source": "", "kafka_username": "u"}
    with pytest.raises(BackendError, match="CSAT_KAFKA_PASSWORD cannot be passed to a batch") as raised:
        backend(make_settings(**login, kafka_password="hunter2"))
    assert "hunter2" not in str(raised.value)


def test_batches_are_called_as_the_account_whose_key_is_in_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_key(tmp_path / GOOGLE_KEY)
    monkeypatch.chdir(tmp_path)
    named = {"HOME": str(tmp_path), "CSAT_TARGET": "gcp", "CSAT_PROJECT_ID": "shop", "CSAT_REGION": "europe-west1"}
    for name, value in {**named, GOOGLE_KEY_VARIABLE: ""}.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    try:
        credentials: Any = dataproc.open_batches(get_settings()).transport._credentials
        assert credentials.service_account_email == EMAIL
    finally:
        get_settings.cache_clear()
