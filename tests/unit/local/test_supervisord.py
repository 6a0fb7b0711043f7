import configparser
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from csat.contract.settings import Settings, SettingsError
from csat.local import supervisord

MakeSettings = Callable[..., Settings]


def parsed(settings: Settings) -> configparser.RawConfigParser:
    """The configuration as supervisord's own parser takes it apart."""
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    parser.read_string(supervisord.conf(settings))
    return parser


def test_conf_names_every_program_and_starts_none_by_itself(make_settings: MakeSettings) -> None:
    conf = parsed(make_settings())
    names = {name.removeprefix("program:") for name in conf.sections() if name.startswith("program:")}
    assert names == {
        "kafka",
        "bigquery",
        "postgres",
        "airflow-migrate",
        "airflow-api-server",
        "airflow-scheduler",
        "airflow-dag-processor",
        "airflow-triggerer",
        "dbt",
        "stream",
        "producer",
        "dashboard",
    }
    assert {conf[f"program:{name}"]["autostart"] for name in names} == {"false"}


def test_conf_leaves_the_restart_of_the_stream_to_airflow(make_settings: MakeSettings) -> None:
    conf = parsed(make_settings())
    assert conf["program:stream"]["autorestart"] == "false"
    assert conf["program:kafka"]["autorestart"] == "true"


def test_conf_has_no_database_server_where_the_database_is_elsewhere(make_settings: MakeSettings) -> None:
    conf = parsed(make_settings(airflow_database_url="postgresql+psycopg2://ada@host/name"))
    assert "program:postgres" not in conf.sections()
    assert "program:airflow-migrate" in conf.sections()


def test_conf_has_the_database_server_end_without_its_clients(make_settings: MakeSettings) -> None:
    conf = parsed(make_settings())
    signals = {name: conf[f"program:{name}"]["stopsignal"] for name in ("postgres", "kafka", "airflow-scheduler")}
    assert signals == {"postgres": "INT", "kafka": "TERM", "airflow-scheduler": "TERM"}


def test_conf_takes_its_ports_from_the_settings(make_settings: MakeSettings) -> None:
    conf = parsed(
        make_settings(supervisord_port=41, bigquery_port=42, bigquery_grpc_port=43, airflow_port=44, postgres_port=45)
    )
    assert conf["inet_http_server"]["port"] == "127.0.0.1:41"
    assert "--port 42 --grpc-port 43" in conf["program:bigquery"]["command"]
    assert "-c port=45 " in conf["program:postgres"]["command"]
    assert "@127.0.0.1:45/airflow" in conf["program:airflow-migrate"]["environment"]
    assert 'AIRFLOW__API__PORT="44"' in conf["program:airflow-api-server"]["environment"]
    assert '"http://127.0.0.1:44/execution/"' in conf["program:airflow-scheduler"]["environment"]


def test_conf_puts_no_secret_on_a_command_line(make_settings: MakeSettings) -> None:
    settings = make_settings()
    conf = parsed(settings)
    files = list((settings.state / "secrets").iterdir())
    secrets = {file.read_text() for file in files if file.suffix != ".json"}
    secrets |= set(json.loads((settings.state / "secrets" / "airflow_passwords.json").read_text()).values())
    commands = " ".join(conf[name]["command"] for name in conf.sections() if name.startswith("program:"))
    assert len(secrets) == 7  # supervisord, the emulator, Airflow's user, its database, Fernet key, session key, JWT
    assert not [secret for secret in secrets if secret in commands]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_conf_doubles_percent_signs_in_paths(make_settings: MakeSettings, tmp_path: Path) -> None:
    conf = parsed(make_settings(state_dir=tmp_path / "50%"))
    assert conf["supervisord"]["pidfile"] == f"{tmp_path}/50%%/supervisord.pid"


@pytest.mark.parametrize("name", ["a ;b", "a #b", "a\nb"])
def test_conf_refuses_a_folder_that_its_format_cannot_hold(
    make_settings: MakeSettings, tmp_path: Path, name: str
) -> None:
    with pytest.raises(SettingsError, match="set CSAT_STATE_DIR to a plain path"):
        supervisord.conf(make_settings(state_dir=tmp_path / name))


def test_process_is_none_when_the_pid_file_is_of_a_process_of_another(make_settings: MakeSettings) -> None:
    settings = make_settings()
    settings.state.mkdir()
    supervisord.pid_file(settings).write_text("1")
    assert supervisord.process(settings) is None


def test_secrets_stay_the_same_at_the_next_start(make_settings: MakeSettings) -> None:
    settings = make_settings()
    assert supervisord.conf(settings) == supervisord.conf(settings)


class OlderStack(supervisord.Supervisord):
    """Responses as a supervisord whose configuration names no dashboard."""

    def _call(self, method: str, *arguments: object) -> object:
        assert method == "getAllProcessInfo", (method, arguments)
        return [{"name": "kafka", "statename": "STOPPED"}]


def test_stop_leaves_out_a_program_that_an_older_stack_lacks(make_settings: MakeSettings) -> None:
    OlderStack(make_settings()).stop("dashboard", "kafka")


@pytest.mark.parametrize(
    ("states", "started"), [(["STOPPING", "STOPPING", "STOPPED"], 1), (["STOPPING", "RUNNING"], 0)]
)
def test_start_waits_for_the_end_of_a_program_that_is_stopping(
    monkeypatch: pytest.MonkeyPatch, make_settings: MakeSettings, states: list[str], started: int
) -> None:
    monkeypatch.setattr(supervisord, "_POLL_SECONDS", 0)
    calls = respond(monkeypatch, states)
    supervisord.Supervisord(make_settings()).start("kafka")
    assert calls.count("getAllProcessInfo") == len(states)
    assert calls.count("startProcess") == started


def test_start_is_an_error_if_a_program_does_not_stop(
    monkeypatch: pytest.MonkeyPatch, make_settings: MakeSettings
) -> None:
    monkeypatch.setattr(supervisord, "_STOPPING_SECONDS", 0)
    respond(monkeypatch, ["STOPPING"])
    with pytest.raises(supervisord.SupervisordError, match=r"kafka.* does not exit, fix: csat down"):
        supervisord.Supervisord(make_settings()).start("kafka")


def respond(monkeypatch: pytest.MonkeyPatch, states: list[str]) -> list[str]:
    """The methods that are called on supervisord; Kafka is in these states, one per request."""
    left, calls = iter(states), []

    def call(_: object, method: str, *__: object) -> list[dict[str, str]]:
        calls.append(method)
        return [{"name": "kafka", "statename": next(left)}] if method == "getAllProcessInfo" else []

    monkeypatch.setattr(supervisord.Supervisord, "_call", call)
    return calls
