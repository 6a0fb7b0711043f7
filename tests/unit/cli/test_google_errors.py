"""Every command ends an error of Google in one line with its fix, whatever call meets it."""

import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core.exceptions import Forbidden, GoogleAPICallError, ServiceUnavailable, TooManyRequests, Unauthorized
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError, TransportError

from csat.bigquery import client
from csat.cli.main import run
from csat.cloud.effects import upload
from csat.contract.alerts import AlertKey
from csat.contract.errors import CsatError
from csat.contract.google_errors import fix_of, google_error, text_of
from csat.contract.settings import get_settings
from csat.control.checkpoint_topic import retire
from csat.control.object_store import StoreUnreachableError, read_object
from csat.monitoring.checkpoint import CheckpointError, committed_offsets
from csat.monitoring.collect import _fact
from csat.monitoring.facts import Missing

QUOTA = Forbidden("Quota exceeded: too many queries\nJob ID: 1", errors=[{"reason": "quotaExceeded"}])
EXPIRED = RefreshError("invalid_grant: Bad Request", {"error": "invalid_grant", "error_subtype": "invalid_rapt"})
GoogleError = GoogleAPICallError | GoogleAuthError
ERRORS: dict[str, tuple[GoogleError, str]] = {
    "expired login": (EXPIRED, "fix: run `gcloud auth application-default login`, or replace"),
    "no login": (DefaultCredentialsError("no credentials"), "put a service account's key at"),
    "quota": (QUOTA, "request a higher quota in the console"),
    "too many requests": (TooManyRequests("slow down"), "request a higher quota in the console"),
    "no role": (Forbidden("bigquery.jobs.create denied"), "make cloud-apply grants those that csat needs"),
    "unauthorized": (Unauthorized("bad token"), "put a service account's key at"),
}


class Refusing:
    """A client of which every call fails."""

    def __init__(self, error: GoogleError) -> None:
        self._error = error

    def close(self) -> None: ...

    def __getattr__(self, name: str) -> Any:
        def refuse(*_: object, **__: object) -> None:
            raise self._error

        return refuse


@pytest.fixture(autouse=True)
def _cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The settings of Google Cloud, without a .env."""
    monkeypatch.chdir(tmp_path)
    settings = {"STATE_DIR": tmp_path / "state", "TARGET": "gcp", "PROJECT_ID": "shop", "STAGING_URI": "gs://shop-a"}
    for name, value in settings.items():
        monkeypatch.setenv(f"CSAT_{name}", str(value))
    get_settings.cache_clear()
    with socket.create_server(("127.0.0.1", 0)) as kafka:  # its connections wait for an answer
        monkeypatch.setenv("CSAT_KAFKA_BOOTSTRAP_SERVERS", f"127.0.0.1:{kafka.getsockname()[1]}")
        yield
    get_settings.cache_clear()


COMMANDS = [
    ["check", "completeness"],
    ["marts", "build"],
    ["marts", "rebuild"],
    ["marts", "reconcile"],
    ["marts", "freshness"],
    ["marts", "show", "agents"],
    ["marts", "show", "categories"],
    ["marts", "show", "series"],
    ["rejected", "count"],
    ["rejected", "list"],
    ["rejected", "replay"],
    ["maintain", "scratch"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("name", ERRORS)
def test_a_command_ends_with_one_line_that_names_the_fix(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str], name: str
) -> None:
    error, fix = ERRORS[name]
    monkeypatch.setattr(client, "open_client", lambda settings: Refusing(error))
    assert run(command) == 1
    output = capsys.readouterr()
    lines = [line for line in output.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, output.err
    assert output.err.splitlines()[-1] == lines[0]
    assert text_of(error) in lines[0]
    assert fix in lines[0]
    assert "Traceback" not in output.err


def test_an_error_that_no_module_names_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise EXPIRED

    monkeypatch.setattr("csat.cli.rejected.settings_with", fail)
    assert run(["rejected", "count"]) == 1
    assert capsys.readouterr().err.startswith(
        "error: Google refused: invalid_grant: Bad Request, fix: run `gcloud auth"
    )


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (Forbidden("no billing", errors=[{"reason": "billingNotEnabled"}]), "link a billing account"),
        (Forbidden("BigQuery API has not been used", errors=[{"reason": "accessNotConfigured"}]), "enable the API"),
        (Forbidden("Cloud Run API is off", error_info={"reason": "SERVICE_DISABLED"}), "enable the API"),
        (Forbidden("too many", errors=[{"reason": "jobRateLimitExceeded"}]), "wait, or request a higher quota"),
        (Forbidden("denied", errors=[{"reason": "accessDenied"}]), "give this account the missing role"),
        (RefreshError("the token server is down", retryable=True), "check the network"),
    ],
)
def test_the_reason_that_google_names_decides_the_fix(error: GoogleError, fix: str) -> None:
    assert fix_of(error).startswith(fix)


@pytest.mark.parametrize(("status", "fix"), [(502, "check the network"), (404, "attach a service account to the")])
def test_the_fix_is_that_of_the_login_however_often_its_error_is_wrapped(status: int, fix: str) -> None:
    refused = Unauthorized("Invalid Credentials")  # as gcsfs raises it
    refused.__cause__ = RefreshError("no token")
    refused.__cause__.__cause__ = TransportError("Failed to retrieve", SimpleNamespace(status=status))
    assert fix_of(refused).startswith(fix)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (RefreshError(TransportError("Failed to retrieve\nDetails", "response")), "Failed to retrieve"),
        (TransportError(FileNotFoundError(2, "No such file or directory", "a.pem")), "No such file or directory"),
        (RefreshError(), "RefreshError"),
    ],
)
def test_the_text_of_an_error_is_that_of_the_error_it_wraps(error: GoogleError, text: str) -> None:
    assert text_of(error) == text


def test_an_error_that_is_not_googles_stays_a_bug() -> None:
    assert google_error(ValueError("no")) is None
    assert fix_of(ServiceUnavailable("down")) == ""


class RefusingStore:
    """A file system of which every call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        def refuse(*_: object, **__: object) -> None:
            raise self._error

        return refuse


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_of_cloud_storage_names_the_object_and_the_fix(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    error, fix = ERRORS[name]
    monkeypatch.setattr("gcsfs.core.GCSFileSystem", lambda: RefusingStore(error))
    calls: list[tuple[type[CsatError], Any]] = [
        (StoreUnreachableError, lambda: read_object("gs://shop-a/b")),
        (StoreUnreachableError, lambda: retire("gs://shop-a/b", "old")),
        (CheckpointError, lambda: committed_offsets("gs://shop-a/b", "messages")),
        (CsatError, lambda: upload(Path("/tmp/b"), "gs://shop-a/b")),
    ]
    for kind, call in calls:
        with pytest.raises(kind) as raised:
            call()
        assert "gs://shop-a/b" in raised.value.message
        assert text_of(error) in raised.value.message
        assert fix in str(raised.value)


def test_a_health_check_reports_an_error_of_google_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> Missing:
        raise EXPIRED

    found = _fact(AlertKey.BIGQUERY_UNREACHABLE, fail)
    assert isinstance(found, Missing)
    assert found.reason.startswith("Google refused: invalid_grant: Bad Request, fix: run `gcloud auth")
    assert caplog.text == ""
