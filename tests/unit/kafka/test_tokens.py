"""Tokens: Google's own format, and requests to and responses of an OIDC server."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from google.auth.exceptions import RefreshError
from pydantic import SecretStr

from csat.contract.kafka_access import KafkaAccessError, KafkaRefusedError
from csat.contract.settings import Settings
from csat.kafka.tokens import GoogleTokens, OidcTokens, google_token

EXPIRY = datetime.fromisoformat("2026-11-20T13:00:00")  # without a time zone, as google.auth returns it


class Server(HTTPServer):
    """Returns its responses one by one; records the requests."""

    def __init__(self, responses: list[tuple[int, bytes]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.responses = responses
        self.asked: list[tuple[str, str]] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append((self.headers["Authorization"], form))
        status, body = self.server.responses.pop(0)
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts a token server with these responses."""
    servers: list[Server] = []

    def start(*responses: tuple[int, Any]) -> Server:
        bodies = [
            (status, body if isinstance(body, bytes) else json.dumps(body).encode()) for status, body in responses
        ]
        servers.append(Server(bodies))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def settings(port: int, scope: str = "") -> Settings:
    return Settings.model_construct(
        kafka_oauth_url=f"http://127.0.0.1:{port}/token",
        kafka_oauth_scope=scope,
        kafka_oauth_client_id="stream",
        kafka_oauth_client_secret=SecretStr("s3cret"),
    )


def test_client_credentials_are_requested_with_id_secret_and_scope(serve: Callable[..., Server]) -> None:
    server = serve((200, {"access_token": "one", "expires_in": 100}))
    assert OidcTokens(settings(server.server_port, scope="answers")).token() == "one"
    assert server.asked == [("Basic c3RyZWFtOnMzY3JldA==", "grant_type=client_credentials&scope=answers")]


def test_token_is_used_for_80_percent_of_its_lifetime(serve: Callable[..., Server]) -> None:
    server = serve((200, {"access_token": "one", "expires_in": 100}), (200, {"access_token": "two", "expires_in": 100}))
    now = [1_000.0]
    tokens = OidcTokens(settings(server.server_port), clock=lambda: now[0])
    assert tokens.token() == "one"
    now[0] += 79
    assert tokens.token() == "one"
    now[0] += 1
    assert tokens.token() == "two"
    assert server.asked[0][1] == "grant_type=client_credentials"


def test_token_without_a_lifetime_is_used_once(serve: Callable[..., Server]) -> None:
    server = serve((200, {"access_token": "one"}), (200, {"access_token": "two"}))
    tokens = OidcTokens(settings(server.server_port), clock=lambda: 1_000.0)
    assert [tokens.token(), tokens.token()] == ["one", "two"]


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (
            (401, {"error": "invalid_client"}),
            r"refused \(HTTP 401 invalid_client\): check .*CSAT_KAFKA_OAUTH_CLIENT_SECRET",
        ),
        ((500, b"<html>"), r"refused \(HTTP 500\)"),
        ((302, b""), r"refused \(HTTP 302\)"),
        ((200, b"<html>"), "responds without a token: is CSAT_KAFKA_OAUTH_URL the token endpoint"),
        ((200, {"token": "one"}), "responds without a token"),
        ((200, ["one"]), "responds without a token"),
    ],
)
def test_refusal_names_its_settings(serve: Callable[..., Server], response: tuple[int, Any], message: str) -> None:
    server = serve(response)
    with pytest.raises(KafkaRefusedError, match=message) as refused:
        OidcTokens(settings(server.server_port)).token()
    assert "s3cret" not in f"{refused.value!r} {refused.value.__cause__!r}"


def test_an_unreachable_server_is_named_with_its_address() -> None:
    with pytest.raises(KafkaAccessError, match=r"No token server responds at http://127\.0\.0\.1:1/token .*_OAUTH_URL"):
        OidcTokens(settings(1)).token()


def part(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_google_token_is_header_claims_and_access_token() -> None:
    credentials = SimpleNamespace(
        token="ya29.äccess",
        expiry=EXPIRY,
        service_account_email="stream@shop.example",
    )
    header, claims, token = google_token(credentials, now=1_795_176_000.9).split(".")
    assert json.loads(part(header)) == {"typ": "JWT", "alg": "GOOG_OAUTH2_TOKEN"}
    assert json.loads(part(claims)) == {
        "exp": 1_795_179_600,
        "iat": 1_795_176_000,
        "iss": "Google",
        "scope": "kafka",
        "sub": "stream@shop.example",
    }
    assert part(token).decode() == "ya29.äccess"


def test_google_token_of_a_user_names_the_address_of_the_id_token() -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"email": "ada@shop.example"}).encode()).decode().rstrip("=")
    id_token = f"{base64.urlsafe_b64encode(b'{}').decode().rstrip('=')}.{claims}.c2ln"
    credentials = SimpleNamespace(token="t", expiry=EXPIRY, id_token=id_token)
    assert json.loads(part(google_token(credentials, 0).split(".")[1]))["sub"] == "ada@shop.example"


def test_google_credentials_without_a_name_are_refused() -> None:
    credentials = SimpleNamespace(token="t", expiry=EXPIRY, id_token=None)
    with pytest.raises(KafkaRefusedError, match="GOOGLE_APPLICATION_CREDENTIALS"):
        google_token(credentials, 0)


class Credentials(SimpleNamespace):
    """The used part of Google's credentials: valid once refreshed."""

    refreshed: int

    def refresh(self, request: Any) -> None:
        if self.error:
            raise self.error
        self.valid, self.refreshed = True, self.refreshed + 1


def credentials(error: Exception | None = None) -> Credentials:
    expiry = EXPIRY
    return Credentials(token="t", expiry=expiry, service_account_email="a@b", valid=False, refreshed=0, error=error)


def test_google_credentials_are_refreshed_when_they_are_not_valid() -> None:
    found = credentials()
    tokens = GoogleTokens(found, clock=lambda: 0)
    assert tokens.token() == tokens.token()
    assert found.refreshed == 1


def test_google_credentials_that_cannot_be_refreshed_name_the_fix() -> None:
    with pytest.raises(KafkaRefusedError, match="gcloud auth application-default login"):
        GoogleTokens(credentials(RefreshError("expired")), clock=lambda: 0).token()


def test_a_login_that_does_not_answer_is_no_refusal() -> None:
    with pytest.raises(KafkaAccessError, match=r"No Google token for Kafka \(down\), fix: check the network") as raised:
        GoogleTokens(credentials(RefreshError("down", retryable=True)), clock=lambda: 0).token()
    assert type(raised.value) is KafkaAccessError
