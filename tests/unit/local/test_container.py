import configparser
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.local import airflow, container, supervisord
from csat.local.programs import stream
from tests.http_server import serving

MakeSettings = Callable[..., Settings]


def test_supervisord_in_a_container_has_the_stream_only_and_listens_where_configured(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    parser = configparser.RawConfigParser()
    parser.read_string(supervisord.conf(make_settings(supervisord_port=41), [stream()], "127.0.0.2", tmp_path))
    assert [name for name in parser.sections() if name.startswith("program:")] == ["program:stream"]
    assert parser["inet_http_server"]["port"] == "127.0.0.2:41"
    assert parser["supervisord"]["pidfile"] == f"{tmp_path}/supervisord.pid"


def test_airflow_finds_its_database_with_the_password_of_the_secret(make_settings: MakeSettings) -> None:
    settings = make_settings(airflow_database_url="postgresql+psycopg2://ada@host:5432/name")
    (settings.state / "secrets").mkdir(parents=True)
    (settings.state / "secrets" / "postgres").write_text("pass-word\n")
    address = airflow.variables(settings)["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert address == "postgresql+psycopg2://ada:pass-word@host:5432/name"


def test_a_container_whose_program_does_not_respond_is_unhealthy(
    make_settings: MakeSettings, free_port: Callable[[], int]
) -> None:
    settings = make_settings(airflow_port=free_port())
    with pytest.raises(CsatError, match="scheduler does not respond"):
        container.check(settings, "scheduler")


@pytest.mark.parametrize("status", [200, 400])
def test_the_emulator_is_healthy_when_it_accepts_a_request_with_the_token(
    make_settings: MakeSettings, status: int
) -> None:
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Authorization"]))
            self.send_response(status)
            self.end_headers()

    with serving(Handler) as port:
        settings = make_settings(bigquery_endpoint=f"http://127.0.0.1:{port}")
        container.secrets(settings)
        token = (settings.state / "secrets" / "bigquery_token").read_text()
        if status == 200:
            container.check(settings, "bigquery")
        else:
            with pytest.raises(CsatError, match="bigquery does not respond"):
                container.check(settings, "bigquery")
    assert asked == [("/bigquery/v2/projects/csat-local/datasets", f"Bearer {token}")]


def test_the_dashboard_is_checked_by_a_name_that_it_accepts(make_settings: MakeSettings) -> None:
    hosts = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hosts.append(self.headers["Host"])
            self.send_response(200)
            self.end_headers()

    with serving(Handler) as port:
        settings = make_settings(dashboard_url=f"http://127.0.0.1:{port}", dashboard_hosts="csat.example, localhost")
        container.check(settings, "dashboard")
    assert hosts == ["csat.example"]


def test_a_google_key_that_the_containers_user_cannot_read_is_named_with_the_fix(
    make_settings: MakeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    with pytest.raises(CsatError, match=r"GOOGLE_APPLICATION_CREDENTIALS, fix: setfacl -m u:\d+:r FILE"):
        container.prepare(make_settings())
