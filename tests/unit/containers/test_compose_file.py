"""docker-compose.yaml keeps the house's rules, whatever is switched on."""

import re
import tomllib
from typing import Any

import pytest

from csat.settings import GOOGLE_KEY, ROOT, Settings
from local import compose_secrets, kafka
from tests.compose_model import DOCKERFILE, NEEDED, compose, image_variables, instructions, rendered

ONCE = {"prepare", "airflow-init", "csat"}  # they end, or a person runs them
DEFAULT = {
    *{"kafka", "prepare", "spark", "postgres", "airflow-init", "api-server", "scheduler", "dag-processor"},
    *{"triggerer", "dashboard"},
}


@pytest.fixture(scope="module", params=sorted(NEEDED))
def model(request: pytest.FixtureRequest) -> dict[str, Any]:
    """All of a target's model."""
    return rendered(request.param, "*")


@pytest.fixture(scope="module")
def services(model: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = model["services"]
    assert {"bigquery-emulator", "producer", *DEFAULT} <= set(found)
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
    model = rendered("gcp", "*", HOME="/home/ada")
    assert model["secrets"]["google_credentials"]["file"] == f"/home/ada/{GOOGLE_KEY}"
    with_key = [
        (service, secret["target"])
        for service, held in model["services"].items()
        for secret in held.get("secrets", [])
        if secret["source"] == "google_credentials"
    ]
    assert {service for service, _ in with_key} >= {"spark", "scheduler", "triggerer", "dashboard", "csat"}
    assert {target for _, target in with_key} == {f"{image_variables('pipeline')['HOME']}/{GOOGLE_KEY}"}
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in model["services"]["spark"]["environment"]


def test_google_cloud_keeps_the_stream_in_its_container(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in rendered("gcp")["services"]["spark"]["environment"].items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)
    assert (settings.target, settings.is_on_dataproc, settings.endpoint) == ("gcp", False, "")
    assert settings.staging_uri == "gs://shopzilla-staging"


@pytest.mark.parametrize("missing", ["CONTAINER_UID", "CSAT_PROJECT_ID", "CSAT_STAGING_URI"])
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
    from local.jars import KAFKA_VERSION

    assert services["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_nothing_is_privileged_and_nothing_runs_as_root(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert not service.get("privileged"), name
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"network_mode", "pid", "ipc", "devices"} & set(service), name
        target = service.get("build", {}).get("target")
        user = service.get("user") or [text for word, text in instructions(target) if word == "USER"][-1]
        assert user in {"appuser", "10001:10001", "${UID}"}, name


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
    assert spark == ({"backend", "edge"} if "google_credentials" in model["secrets"] else {"backend"})


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
            assert is_file or not re.search(r"PASSWORD|SECRET|TOKEN|FERNET|_KEY", variable), (name, variable)
            assert not re.search(r"://[^/@]*:[^/@]+@", str(text)), (name, variable)


def test_every_secret_is_made_by_compose_secrets(model: dict[str, Any], tmp_path: Any) -> None:
    made = compose_secrets.make(tmp_path / "compose", tmp_path / ".env")
    assert {oct(path.stat().st_mode & 0o777) for path in made} == {"0o600"}
    wanted = {secret["file"] for name, secret in model["secrets"].items() if name != "google_credentials"}
    folder = compose_secrets.FOLDER / "secrets"
    assert wanted == {str(folder / path.name) for path in made}


def test_secrets_are_kept_and_the_rest_of_env_too(tmp_path: Any) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("CSAT_TARGET=local\nCONTAINER_UID=7\n")
    first = [path.read_text() for path in compose_secrets.make(tmp_path / "compose", env_file)]
    assert first == [path.read_text() for path in compose_secrets.make(tmp_path / "compose", env_file)]
    owner = (tmp_path / "compose" / "secrets" / "postgres").stat().st_uid
    assert owner != 0
    assert env_file.read_text() == f"CSAT_TARGET=local\nCONTAINER_UID={owner}\n"


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
    assert allowed - packages == {"locks/*.txt", "pyproject.toml", "dags", "dbt"}
    copied = [
        text.split()[0]
        for stage in ("pipeline-environment", "airflow-environment", "emulator-environment")
        for word, text in instructions(stage)
        if word == "COPY" and "--from" not in text
    ]
    assert {path for path in copied if path != "."} == {
        f"locks/{name}.txt" for name in ("pipeline", "airflow", "emulator")
    }


def test_an_images_own_environment_comes_first_on_its_path() -> None:
    assert image_variables("airflow")["PATH"].startswith("/opt/csat/.venvs/airflow/bin:")
    assert image_variables("spark") == image_variables("pipeline") | {"JAVA_HOME": "/opt/java/openjdk"}
