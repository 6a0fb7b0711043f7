"""What a command does with the responses of Airflow's API."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from csat.clients import airflow_api
from csat.clients.airflow_api import AirflowError
from csat.contract.settings import Settings
from csat.local import airflow as local_airflow
from tests.http_server import serving

RUNS = "dags/build_marts/dagRuns"
ABSENT = (404, {"detail": "Dag with dag_id: 'build_marts' not found"})
STARTED = (200, {"dag_run_id": "manual__1"})


@pytest.fixture
def airflow(tmp_path: Path) -> Iterator[tuple[Settings, list[Any], list[str]]]:
    """Settings of an API, its next responses, and the requests it received."""
    responses: list[Any] = []
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            is_login = self.path == "/auth/token"
            code, body = (201, {"access_token": "token"}) if is_login else responses.pop(0)
            if not is_login:
                requests.append(self.path)
            text = json.dumps(body, separators=(",", ":")).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    with serving(Handler) as port:
        settings = Settings(state_dir=tmp_path, airflow_port=port, _env_file=None)
        path = airflow_api.passwords_file(settings)
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({airflow_api.USER: "secret"}))
        yield settings, responses, requests


def test_a_call_returns_the_response(airflow: tuple[Settings, list[Any], list[str]]) -> None:
    settings, responses, requests = airflow
    responses.append(STARTED)
    assert airflow_api.call(settings, "POST", RUNS, {"logical_date": None}) == STARTED[1]
    assert requests == [f"/api/v2/{RUNS}"]


def test_an_error_quotes_airflows_response(airflow: tuple[Settings, list[Any], list[str]]) -> None:
    settings, responses, requests = airflow
    responses.append(ABSENT)
    with pytest.raises(AirflowError, match=r"404.*not found"):
        airflow_api.call(settings, "POST", RUNS, {"logical_date": None})
    assert len(requests) == 1


def test_the_password_of_a_stack_that_never_started_is_an_error_with_its_fix(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, state_dir=tmp_path)
    with pytest.raises(AirflowError, match=r"no password .* in .*airflow_passwords\.json, fix: csat up, or docker"):
        airflow_api.password(settings)
    local_airflow.password(settings)
    assert len(airflow_api.password(settings)) >= 12
