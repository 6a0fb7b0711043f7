"""How a login to Google fails, with the real clients of google-auth against servers that fail."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from typing import Any

import pytest
from google.auth import compute_engine, impersonated_credentials
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials

from csat.bigquery.client import Warehouse, WarehouseError, WarehouseUnreachableError
from csat.contract.settings import Settings
from tests.http_server import serving

PAGE = "<!DOCTYPE html>\n<title>Error 502 (Server Error)</title>"
BUSY = '{"error": "temporarily_unavailable"}'
EXPIRED = '{"error": "invalid_grant", "error_description": "Token has been expired or revoked."}'
FAILED = '{"error": {"code": 503, "message": "The service is currently unavailable."}}'
DENIED = '{"error": {"code": 403, "message": "iam.serviceAccounts.getAccessToken denied"}}'
AWAY = r"^Google's login does not answer \(.*\), fix: check the network$"
ATTACH = r"^Google refuses the login \(Failed to retrieve .*\), fix: attach a service account to the machine"
RENEW = r"^Google refuses the login \(.*\), fix: run `gcloud auth application-default login`"


def machine(url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The login of a virtual machine, by its metadata server."""
    monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", url.removeprefix("http://"))
    return compute_engine.Credentials()


def person(url: str, _: pytest.MonkeyPatch) -> Any:
    """What `gcloud auth application-default login` leaves."""
    return Credentials(None, refresh_token="r", token_uri=url, client_id="c", client_secret="s")


def impersonated(url: str, _: pytest.MonkeyPatch) -> Any:
    """The login of a person who acts as a service account."""
    return impersonated_credentials.Credentials(
        Credentials("valid"),
        "csat-dashboard@shop.iam.gserviceaccount.com",
        ["https://www.googleapis.com/auth/bigquery"],
        iam_endpoint_override=url,
    )


def answering(status: int, body: str) -> type[BaseHTTPRequestHandler]:
    """A server with one response to every request."""

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())

        def do_POST(self) -> None:
            self.do_GET()

    return Server


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("google.auth._exponential_backoff.time", SimpleNamespace(sleep=lambda seconds: None))


def log_in(login: Any) -> None:
    warehouse = Warehouse(Settings(_env_file=None, target="gcp", project_id="p", staging_uri="gs://b"))
    with warehouse.errors():
        login.refresh(Request())


@pytest.mark.parametrize(
    ("login", "status", "body", "kind", "text"),
    [
        (machine, 503, "", WarehouseUnreachableError, AWAY),
        (machine, 502, PAGE, WarehouseUnreachableError, AWAY),
        (machine, 200, "{", WarehouseUnreachableError, AWAY),
        (machine, 404, "Not Found", WarehouseError, ATTACH),
        (person, 503, FAILED, WarehouseUnreachableError, AWAY),
        (person, 400, BUSY, WarehouseUnreachableError, AWAY),
        (person, 502, PAGE, WarehouseUnreachableError, AWAY),
        (person, 400, EXPIRED, WarehouseError, RENEW),
        (impersonated, 503, FAILED, WarehouseUnreachableError, AWAY),
        (impersonated, 502, PAGE, WarehouseUnreachableError, AWAY),
        (impersonated, 403, DENIED, WarehouseError, RENEW),
    ],
)
def test_a_failure_for_now_is_unreachable_and_a_refusal_names_the_fix_of_that_login(
    monkeypatch: pytest.MonkeyPatch,
    login: Callable[[str, pytest.MonkeyPatch], Any],
    status: int,
    body: str,
    kind: type[WarehouseError],
    text: str,
) -> None:
    with serving(answering(status, body)) as port, pytest.raises(WarehouseError, match=text) as raised:
        log_in(login(f"http://127.0.0.1:{port}", monkeypatch))
    assert type(raised.value) is kind


@pytest.mark.parametrize("login", [machine, person, impersonated])
def test_a_login_server_that_is_down_is_unreachable(
    monkeypatch: pytest.MonkeyPatch, login: Callable[[str, pytest.MonkeyPatch], Any]
) -> None:
    with serving(answering(200, "{}")) as port:
        pass
    with pytest.raises(WarehouseUnreachableError, match=AWAY):
        log_in(login(f"http://127.0.0.1:{port}", monkeypatch))
