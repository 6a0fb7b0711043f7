"""docker-compose.yaml keeps the house's rules, whatever is switched on."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from csat.contract.settings import GOOGLE_KEY, ROOT, Settings
from csat.local import container, kafka
from tests.compose_model import DOCKERFILE, HOME, NEEDED, compose, image_variables, instructions, rendered, target_of

ONCE = {"secrets", "prepare", "airflow-init", "csat"}  # they end, or a person runs them
DEFAULT = {
    *{"secrets", "kafka", "prepare", "spark", "postgres", "airflow-init", "api-server", "scheduler", "dag-processor"},
    *{"triggerer", "dashboard"},
}

SECRET_VOLUMES = {
    "bigquery": {"bigquery_token"},
    "commands": {"airflow_passwords.json", "bigquery_token"},
    "postgres": {"postgres"},
    "stream": {"bigquery_token", "supervisord"},
}
# Settings that would break a container, or that only the file itself can know
_FIXED_NAMES = """
    target state_dir jars_dir checkpoint_uri state_files_uri stream_backend command_job
    kafka_port kafka_controller_port bigquery_port bigquery_grpc_port airflow_port dashboard_port supervisord_port
    airflow_worker_log_port airflow_trigger_log_port
    bigquery_endpoint dashboard_address dashboard_url airflow_url airflow_database_url supervisord_url
    kafka_bootstrap_servers kafka_security_protocol kafka_allow_plaintext kafka_username kafka_password kafka_ca_file
    kafka_oauth_source kafka_oauth_url kafka_oauth_scope kafka_oauth_client_id kafka_oauth_client_secret
"""
FIXED = set(_FIXED_NAMES.split())
FREE_ON_GOOGLE_CLOUD = {"bigquery_endpoint"}


@pytest.fixture(scope="module", params=sorted(NEEDED))
def model(request: pytest.FixtureRequest) -> dict[str, Any]:
    """All of a target's model."""
    return rendered(request.param, "*")


@pytest.fixture(scope="module")
def services(model: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = model["services"]
    assert {"bigquery-emulator", "producer", "csat", *DEFAULT} <= set(found)
    return found


def test_the_default_is_the_whole_platform_with_an_emulator_and_a_producer() -> None:
    assert set(rendered("local")["services"]) == DEFAULT | {"bigquery-emulator", "producer"}


def test_google_cloud_takes_the_place_of_emulator_and_producer() -> None:
    model = rendered("gcp", GOOGLE_APPLICATION_CREDENTIALS="/home/ada/key.json")
    assert set(model["services"]) == DEFAULT
    spark = model["services"]["spark"]
    assert "CSAT_BIGQUERY_ENDPOINT" not in spark["environment"]
    assert model["secrets"]["google_credentials"]["file"] == "/home/ada/key.json"
    assert set(rendered("gcp", "demo")["services"]) == DEFAULT | {"producer"}


def test_google_cloud_takes_the_key_of_the_home_folder_where_csat_finds_it() -> None:
    model = rendered("gcp", "*")
    assert model["secrets"]["google_credentials"]["file"] == f"{HOME}/{GOOGLE_KEY}"
    with_key = [
        (service, secret["target"])
        for service, held in model["services"].items()
        for secret in held.get("secrets", [])
        if secret["source"] == "google_credentials"
    ]
    assert {service for service, _ in with_key} >= {"spark", "scheduler", "triggerer", "dashboard", "csat"}
    assert {target for _, target in with_key} == {f"{image_variables('pipeline')['HOME']}/{GOOGLE_KEY}"}


def test_google_cloud_takes_the_key_that_env_names_and_no_container_its_path() -> None:
    model = rendered("gcp", "*", GOOGLE_APPLICATION_CREDENTIALS="/home/ada/key.json")
    assert model["secrets"]["google_credentials"]["file"] == "/home/ada/key.json"
    of_csat = [held["environment"] for held in model["services"].values() if "CSAT_STATE_DIR" in held["environment"]]
    paths = {variables["GOOGLE_APPLICATION_CREDENTIALS"] for variables in of_csat}
    assert paths == {""}  # Google's libraries take an empty one for none


def test_google_cloud_keeps_the_stream_in_its_container(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in rendered("gcp")["services"]["spark"]["environment"].items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)
    assert (settings.target, settings.is_on_dataproc, settings.endpoint) == ("gcp", False, "")
    assert settings.staging_uri == "gs://shopzilla-staging"


@pytest.mark.parametrize("missing", ["CSAT_PROJECT_ID", "CSAT_STAGING_URI"])
def test_a_missing_variable_is_named(missing: str) -> None:
    done = compose("config", "-q", variables={name: text for name, text in NEEDED["gcp"].items() if name != missing})
    assert done.returncode != 0
    assert missing in done.stderr


def test_images_are_pinned(services: dict[str, Any]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for name, service in services.items():
        image, _, tag = service["image"].partition(":")
        assert re.fullmatch(r"\d+\.\d+(\.\d+)?(-\w+)?", tag), name
        assert not image.startswith("csat/") or tag == version, name
    froms = re.findall(r"^FROM (\S+)", DOCKERFILE.read_text(), re.MULTILINE)
    outside = [image for image in froms if ":" in image]
    assert len(outside) == 3
    assert [image for image in outside if not re.search(r":\d+\.\d+\.\d+", image)] == []


def test_the_broker_is_of_the_version_of_the_local_stack(services: dict[str, Any]) -> None:
    from csat.local.jars import KAFKA_VERSION

    assert services["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_nothing_is_privileged_and_nothing_runs_as_root(model: dict[str, Any]) -> None:
    for name, service in model["services"].items():
        assert not service.get("privileged"), name
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"network_mode", "pid", "ipc", "devices"} & set(service), name
        target = target_of(model, name)
        user = service.get("user") or [text for word, text in instructions(target) if word == "USER"][-1]
        assert user in {"appuser", "10001:10001", "10001"}, name


def test_each_image_is_built_once_by_a_service_that_its_others_wait_for(model: dict[str, Any]) -> None:
    builds = {name: service for name, service in model["services"].items() if "build" in service}
    images = [service["image"] for service in builds.values()]
    assert len(set(images)) == len(images)
    assert {service["build"]["target"] for service in builds.values()} == {"pipeline", "spark", "airflow", "emulator"}
    assert {name for name in model["services"] if not target_of(model, name)} == {"kafka", "postgres"}


def test_root_file_systems_are_read_only_but_the_brokers(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if not service.get("read_only")] == ["kafka"]


def test_every_service_has_limits_logs_that_end_and_a_way_to_stop(services: dict[str, Any]) -> None:
    for name, service in services.items():
        limits = service["deploy"]["resources"]["limits"]
        assert set(limits) == {"cpus", "memory", "pids"}, name
        assert service["logging"]["options"] == {"max-file": "3", "max-size": "10m"}, name
        assert service["init"] is True, name
        assert service["stop_grace_period"] in {"30s", "1m0s"}, name


def test_what_runs_on_is_restarted_and_checked(services: dict[str, Any]) -> None:
    lasting = {name: service for name, service in services.items() if name not in ONCE}
    assert {service["restart"] for service in lasting.values()} == {"unless-stopped"}
    assert [name for name, service in lasting.items() if "test" not in service.get("healthcheck", {})] == []


def test_ports_are_of_this_machine_only(services: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert {"kafka", "bigquery-emulator", "api-server", "dashboard"} <= set(ports)
    assert {port["host_ip"] for published in ports.values() for port in published} == {"127.0.0.1"}


def test_what_needs_no_way_out_is_on_the_inner_network_only(model: dict[str, Any]) -> None:
    assert model["networks"]["backend"]["internal"] is True
    assert list(model["services"]["postgres"]["networks"]) == ["backend"]
    spark = set(model["services"]["spark"]["networks"])
    assert spark == ({"backend", "edge"} if "secrets" in model else {"backend"})


def test_what_posts_alerts_has_a_way_out(services: dict[str, Any]) -> None:
    for name in ("scheduler", "csat"):
        assert set(services[name]["networks"]) == {"backend", "edge"}


def test_every_wait_is_for_a_service_that_says_when_it_is_done(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for other, wait in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if other in ONCE else "service_healthy"
            assert wait["condition"] == expected, (name, other)


def test_airflow_stops_before_the_stream_and_starts_after_it(services: dict[str, Any]) -> None:
    for name in ("scheduler", "triggerer"):
        assert "spark" in services[name]["depends_on"]


def test_data_is_in_named_volumes(model: dict[str, Any]) -> None:
    kept = set()
    for name, service in model["services"].items():
        for volume in service.get("volumes", []):
            assert volume["type"] == "volume", name
            kept.add(volume["source"])
    assert kept == set(model["volumes"])


def test_no_secret_is_in_the_environment_of_a_container(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for variable, text in service.get("environment", {}).items():
            is_file = variable.endswith("_FILE") or str(text).startswith(("/run/secrets/", "/var/lib/csat/secrets/"))
            is_secret = text and re.search(r"PASSWORD|SECRET|TOKEN|FERNET|_KEY", variable)
            assert is_file or not is_secret, (name, variable)
            assert not re.search(r"://[^/@]*:[^/@]+@", str(text)), (name, variable)


def test_secrets_are_made_once_and_each_volume_has_only_what_its_containers_need(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, state_dir=tmp_path, target="local")
    container.secrets(settings)
    made = {path.relative_to(tmp_path): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert {str(path.parent) for path in made} == {"secrets", *(f"given/{volume}" for volume in SECRET_VOLUMES)}
    for volume, names in SECRET_VOLUMES.items():
        assert {path.name for path in made if str(path.parent) == f"given/{volume}"} == names
    assert all(text == made[Path("secrets", path.name)] for path, text in made.items())
    assert {oct((tmp_path / path).stat().st_mode & 0o777) for path in made} == {"0o600"}
    container.secrets(settings)
    assert made == {path: (tmp_path / path).read_text() for path in made}


def test_only_airflow_is_given_every_secret_and_nobody_may_write_them(services: dict[str, Any]) -> None:
    given: dict[str, set[str]] = {}
    for name, service in services.items():
        for volume in service.get("volumes", []):
            if volume["source"].startswith("secrets"):
                given.setdefault(volume["source"], set()).add(name)
                assert volume.get("read_only") or name == "secrets", name
    assert given == {
        "secrets": {"secrets", "airflow-init", "api-server", "scheduler", "dag-processor", "triggerer"},
        "secrets-bigquery": {"secrets", "bigquery-emulator", "prepare", "dashboard"},
        "secrets-commands": {"secrets", "csat"},
        "secrets-postgres": {"secrets", "postgres"},
        "secrets-stream": {"secrets", "spark"},
    }


@pytest.mark.parametrize("target", sorted(NEEDED))
def test_every_setting_of_env_reaches_our_containers_but_those_that_are_fixed(target: str) -> None:
    lines = {f"CSAT_{name.upper()}": f"1{place}" for place, name in enumerate(Settings.model_fields)}
    model = rendered(target, "*", **lines | NEEDED[target] | {"CSAT_TARGET": target})
    ours = {name for name in model["services"] if target_of(model, name)} - {"secrets"}
    assert len(ours) >= 10
    for service in ours:
        environment = model["services"][service]["environment"]
        changed = {name for name, text in lines.items() if environment.get(name) != text}
        free = {f"CSAT_{name.upper()}" for name in FREE_ON_GOOGLE_CLOUD} if target == "gcp" else set()
        asked_for = set(NEEDED[target]) - {"CSAT_TARGET"}
        assert changed - asked_for == {f"CSAT_{name.upper()}" for name in FIXED} - free, service


def test_settings_for_another_broker_and_for_dataproc_do_not_break_a_container() -> None:
    """As `make cloud-env` writes them."""
    written = {
        "CSAT_CHECKPOINT_URI": "gs://shopzilla-checkpoints/stream",
        "CSAT_STATE_FILES_URI": "gs://shopzilla-documents/stream",
        "CSAT_KAFKA_BOOTSTRAP_SERVERS": "bootstrap.example.com:9092",
        "CSAT_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "CSAT_KAFKA_SASL_MECHANISM": "OAUTHBEARER",
        "CSAT_KAFKA_OAUTH_SOURCE": "google",
        "CSAT_KAFKA_CA_FILE": "/etc/ssl/brokers.pem",
    }
    environment = rendered("gcp", **written)["services"]["spark"]["environment"]
    values = {name.removeprefix("CSAT_").lower(): text for name, text in environment.items() if "CSAT_" in name}
    settings = Settings(_env_file=None, **values)
    assert (settings.bootstrap_servers, settings.kafka_ca_file) == ("kafka:19092", None)
    assert settings.checkpoint == "/var/lib/csat/stream/checkpoint"


def test_the_broker_is_configured_as_the_local_one(services: dict[str, Any]) -> None:
    local = dict(line.split("=", 1) for line in kafka.properties(Settings(_env_file=None)).splitlines())
    given = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
        for name, value in services["kafka"]["environment"].items()
        if name.startswith("KAFKA_")
    }
    # Where it listens and keeps its data is the container's business; the image formats a fixed quorum
    own = {"listeners", "advertised.listeners", "log.dirs", "controller.quorum.bootstrap.servers"}
    assert {name: given.get(name) for name in local if name not in own} == {
        name: value for name, value in local.items() if name not in own
    }


def test_the_images_hold_every_package_and_no_more_than_that() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert allowed >= packages
    assert allowed - packages == {"locks/*.txt", "pyproject.toml", "dags", "dbt", "docs/runbook.md"}
    copied = [
        text.split()[0]
        for stage in ("pipeline-environment", "spark-environment", "airflow-environment", "emulator-environment")
        for word, text in instructions(stage)
        if word == "COPY" and "--from" not in text
    ]
    assert set(copied) == {
        "pyproject.toml",
        *(f"locks/{name}.txt" for name in ("pipeline", "spark", "airflow", "emulator")),
    }


def test_an_images_own_environment_comes_first_on_its_path() -> None:
    assert image_variables("airflow")["PATH"].startswith("/opt/csat/.venvs/airflow/bin:")
    assert image_variables("spark") == image_variables("pipeline") | {"JAVA_HOME": "/opt/java/openjdk"}
    assert image_variables("pipeline")["PATH"].startswith("/opt/csat/.venv/bin:")
