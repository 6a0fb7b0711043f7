"""When an alert is notified, what is stored, and where notices go."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from csat.contract.alerts import ALERTS, AlertKey, Severity
from csat.contract.settings import Settings
from csat.control.state_files import StateFiles
from csat.local.secret_files import bigquery_token
from csat.monitoring import delivery
from csat.monitoring.alerts import Alerts
from tests.http_server import serving

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DOWN, FAILED = AlertKey.STREAM_DOWN, AlertKey.DAG_FAILED


class Clock:
    """A clock that does not advance by itself."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The rows of the table, in place of BigQuery's."""
    recorded: list[dict[str, Any]] = []
    monkeypatch.setattr(delivery, "require_listening", lambda *_: None)
    monkeypatch.setattr(delivery, "append_rows", lambda warehouse, table, rows: recorded.extend(rows))
    return recorded


@pytest.fixture
def make_alerts(tmp_path: Path, clock: Clock) -> Callable[..., Alerts]:
    def make(**settings: Any) -> Alerts:
        made = Settings(state_dir=tmp_path, _env_file=None, **settings)
        bigquery_token(made)
        return Alerts(made, clock)

    return make


@pytest.fixture
def alerts(make_alerts: Callable[..., Alerts], rows: list[dict[str, Any]]) -> Alerts:
    return make_alerts()


def summary(notices: list[Any]) -> list[tuple[str, str]]:
    return [(notice.status, notice.text) for notice in notices]


def test_an_alert_is_notified_once_while_it_is_open(alerts: Alerts, clock: Clock) -> None:
    assert summary(alerts.alert(Severity.CRITICAL, DOWN, "frozen")) == [("opened", "frozen")]
    clock.now += timedelta(minutes=5)
    assert alerts.alert(Severity.CRITICAL, DOWN, "still frozen") == []


def test_an_open_alert_is_notified_again_after_six_hours(alerts: Alerts, clock: Clock) -> None:
    alerts.alert(Severity.CRITICAL, DOWN, "frozen")
    clock.now += timedelta(hours=5, minutes=59)
    assert alerts.alert(Severity.CRITICAL, DOWN, "frozen") == []
    clock.now += timedelta(minutes=1)
    [notice] = alerts.alert(Severity.CRITICAL, DOWN, "frozen")
    assert (notice.status, notice.opened_at) == ("reminded", NOON)
    assert alerts.alert(Severity.CRITICAL, DOWN, "frozen") == []


def test_an_alert_that_was_notified_in_the_future_is_notified_again(alerts: Alerts, clock: Clock) -> None:
    clock.now += timedelta(days=5)
    alerts.alert(Severity.CRITICAL, DOWN, "frozen")
    clock.now = NOON
    assert summary(alerts.alert(Severity.CRITICAL, DOWN, "still frozen")) == [("reminded", "still frozen")]
    assert alerts.alert(Severity.CRITICAL, DOWN, "still frozen") == []


def test_an_alert_that_becomes_critical_is_notified_at_once(alerts: Alerts) -> None:
    alerts.alert(Severity.WARNING, DOWN, "stopped")
    assert summary(alerts.alert(Severity.CRITICAL, DOWN, "dead")) == [("opened", "dead")]
    assert alerts.alert(Severity.WARNING, DOWN, "stopped") == []


def test_a_recovery_is_notified_once_and_only_if_an_alert_was_open(alerts: Alerts) -> None:
    assert alerts.recover(DOWN, "runs") == []
    alerts.alert(Severity.CRITICAL, DOWN, "frozen")
    assert summary(alerts.recover(DOWN, "runs")) == [("recovered", "runs")]
    assert alerts.recover(DOWN, "runs") == []
    assert summary(alerts.alert(Severity.CRITICAL, DOWN, "frozen")) == [("opened", "frozen")]


def test_one_key_with_two_subjects_is_two_alerts(alerts: Alerts) -> None:
    assert summary(alerts.alert(Severity.WARNING, FAILED, "no", about="build_marts")) == [("opened", "no")]
    assert summary(alerts.alert(Severity.WARNING, FAILED, "no", about="maintain")) == [("opened", "no")]
    alerts.recover(FAILED, "yes", about="maintain")
    assert [alert.about for alert in alerts.alert_state().open_alerts] == ["build_marts"]


def test_every_notice_is_a_row_with_the_tables_columns(alerts: Alerts, rows: list[dict[str, Any]]) -> None:
    alerts.alert(Severity.CRITICAL, DOWN, "frozen")
    alerts.recover(DOWN, "runs")
    assert [(row["alert_key"], row["severity"], row["status"], row["text"]) for row in rows] == [
        ("stream_down", "critical", "opened", "frozen"),
        ("stream_down", "critical", "recovered", "runs"),
    ]
    schema = json.loads(Path("csat/bigquery/schemas/alerts.json").read_text())
    assert set(rows[0]) == {field["name"] for field in schema}
    assert alerts.alert_state().unrecorded == ()


def test_alerts_work_without_bigquery_and_their_rows_are_written_later(
    make_alerts: Callable[..., Alerts], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        alerts = make_alerts(bigquery_port=probe.getsockname()[1], bigquery_timeout_seconds=1)
        assert summary(alerts.alert(Severity.CRITICAL, DOWN, "frozen")) == [("opened", "frozen")]
    assert [notice.text for notice in alerts.alert_state().unrecorded] == ["frozen"]
    recorded: list[dict[str, Any]] = []
    monkeypatch.setattr(delivery, "require_listening", lambda *_: None)
    monkeypatch.setattr(delivery, "append_rows", lambda warehouse, table, rows: recorded.extend(rows))
    alerts.recover(DOWN, "runs")
    assert [row["status"] for row in recorded] == ["opened", "recovered"]
    assert alerts.alert_state().unrecorded == ()


def test_a_broken_alert_state_is_rewritten(alerts: Alerts, tmp_path: Path) -> None:
    (tmp_path / "stream").mkdir()
    (tmp_path / "stream" / "alert_state.json").write_text("{")
    assert summary(alerts.alert(Severity.CRITICAL, DOWN, "frozen")) == [("opened", "frozen")]
    assert StateFiles(str(tmp_path / "stream")).alert_state().find(DOWN) is not None


def test_concurrent_alerts_of_many_processes_are_all_stored(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    def raise_one(name: str) -> None:
        Alerts(Settings(state_dir=tmp_path, _env_file=None)).alert(Severity.WARNING, FAILED, "no", about=name)

    threads = [threading.Thread(target=raise_one, args=(f"dag_{number}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(StateFiles(str(tmp_path / "stream")).alert_state().open_alerts) == 12


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, Any]], list[int]]]:
    """A local server: its address, the bodies it received, and the status codes it will return (200 if none)."""
    bodies: list[dict[str, Any]] = []
    codes: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            is_known = self.path == "/secret-path"
            self.send_response((codes.pop(0) if codes else 200) if is_known else 404)
            self.end_headers()

    with serving(Handler) as port:
        yield f"http://127.0.0.1:{port}/secret-path", bodies, codes


def test_the_webhook_gets_a_sentence_and_the_fields(
    make_alerts: Callable[..., Alerts], rows: list[dict[str, Any]], webhook: Any, caplog: pytest.LogCaptureFixture
) -> None:
    url, bodies, _ = webhook
    alerts = make_alerts(alert_webhook_url=f"{url}\n")
    alerts.alert(Severity.WARNING, FAILED, "dbt failed", about="build_marts")
    alerts.recover(FAILED, "built", about="build_marts")
    assert [body["text"] for body in bodies] == [
        "warning: dag_failed (build_marts): dbt failed (docs/runbook.md#dag_failed)",
        "recovered: dag_failed (build_marts): built",
    ]
    assert "did not accept" not in caplog.text
    assert {name: bodies[0][name] for name in ("alert_key", "about", "severity", "status", "detail", "opened_at")} == {
        "alert_key": "dag_failed",
        "about": "build_marts",
        "severity": "warning",
        "status": "opened",
        "detail": "dbt failed",
        "opened_at": "2026-11-20T12:00:00Z",
    }


def test_a_refusing_webhook_does_not_stop_the_alert_and_stays_secret(
    make_alerts: Callable[..., Alerts], rows: list[dict[str, Any]], webhook: Any, caplog: pytest.LogCaptureFixture
) -> None:
    url, _, codes = webhook
    codes.append(500)
    with caplog.at_level(logging.DEBUG, logger="csat"):
        assert make_alerts(alert_webhook_url=url).alert(Severity.CRITICAL, DOWN, "frozen")
    assert [row["text"] for row in rows] == ["frozen"]
    assert "CSAT_ALERT_WEBHOOK_URL did not accept the alert: HTTPError (500)" in caplog.text
    assert "secret-path" not in caplog.text


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/secret-path", "no-address/secret-path"])
def test_an_unreachable_webhook_does_not_stop_the_alert_and_stays_secret(
    make_alerts: Callable[..., Alerts], rows: list[dict[str, Any]], url: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert make_alerts(alert_webhook_url=url).alert(Severity.CRITICAL, DOWN, "frozen")
    assert len(rows) == 1
    assert "did not accept the alert" in caplog.text
    assert "secret-path" not in caplog.text


def test_the_address_of_the_webhook_is_masked() -> None:
    settings = Settings(_env_file=None, alert_webhook_url="https://example.com/secret-path")
    assert "secret-path" not in f"{settings!r} {settings}"


def test_every_key_has_a_severity_and_a_meaning() -> None:
    assert set(ALERTS) == set(AlertKey)
    assert [key for key, alert in ALERTS.items() if not alert.meaning.endswith(".")] == []
