"""The client's login to the emulator: its token, read again if the emulator refuses it."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from google.api_core.exceptions import Forbidden, TooManyRequests
from google.auth.exceptions import DefaultCredentialsError, ReauthFailError, RefreshError, TransportError

from csat.bigquery import login as bigquery_login
from csat.bigquery.client import Warehouse, WarehouseError, WarehouseOverQuotaError, WarehouseUnreachableError
from csat.contract.settings import Settings
from csat.local.secret_files import write_private
from tests.http_server import serving

NEW = "new"


class Emulator(BaseHTTPRequestHandler):
    """Takes the new token only."""

    def do_GET(self) -> None:
        self.send_response(200 if self.headers["Authorization"] == f"Bearer {NEW}" else 401)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"datasets": [], "error": {"message": "the token is wrong"}}')


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with serving(Emulator) as port:
        yield Settings(_env_file=None, state_dir=tmp_path, bigquery_port=port, bigquery_timeout_seconds=1)


def ask(warehouse: Warehouse) -> None:
    with warehouse.errors():
        list(warehouse.client.list_datasets(timeout=5))


def test_a_stack_that_never_started_counts_as_unreachable(settings: Settings) -> None:
    with (
        Warehouse(settings) as warehouse,
        pytest.raises(WarehouseUnreachableError, match="start the stack with `csat up`"),
    ):
        ask(warehouse)


def test_a_wrong_token_is_refused_with_the_emulators_message(settings: Settings) -> None:
    write_private(bigquery_login.token_file(settings), "old")
    with Warehouse(settings) as warehouse, pytest.raises(WarehouseError, match="the token is wrong"):
        ask(warehouse)


def test_a_token_that_was_replaced_is_read_again(settings: Settings) -> None:
    write_private(bigquery_login.token_file(settings), NEW)
    with Warehouse(settings) as warehouse:
        ask(warehouse)
        write_private(bigquery_login.token_file(settings), "old")
        ask(warehouse)
    with Warehouse(settings) as warehouse:
        with pytest.raises(WarehouseError):
            ask(warehouse)
        write_private(bigquery_login.token_file(settings), NEW)
        ask(warehouse)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (RefreshError("Token has been expired or revoked."), WarehouseError, "expired or revoked.*gcloud auth"),
        (ReauthFailError("no challenge"), WarehouseError, "gcloud auth application-default login"),
        (DefaultCredentialsError("none"), WarehouseError, "service account's key"),
        (TooManyRequests("slow down"), WarehouseOverQuotaError, "slow down.*request a higher quota"),
        (Forbidden("no", errors=[{"reason": "quotaExceeded"}]), WarehouseOverQuotaError, "request a higher quota"),
        (Forbidden("Access Denied"), WarehouseError, "Access Denied.*missing role"),
        (TransportError("Connection reset"), WarehouseUnreachableError, "does not answer.*check the network"),
    ],
)
def test_an_error_of_google_is_one_sentence_with_its_fix(
    error: Exception, kind: type[WarehouseError], text: str
) -> None:
    warehouse = Warehouse(Settings(_env_file=None, target="gcp", project_id="p", staging_uri="gs://b"))
    with pytest.raises(kind, match=text) as raised, warehouse.errors():
        raise error
    assert type(raised.value) is kind
