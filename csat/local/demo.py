"""`csat demo`: the whole pipeline with 30 days of history and a live stream, shown once the marts hold it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from csat.bigquery.client import Warehouse
from csat.bigquery.landing_counts import landing_counts
from csat.clients import airflow_api
from csat.clients.airflow_api import AirflowError
from csat.contract.errors import CsatError
from csat.contract.polling import poll
from csat.contract.settings import Settings
from csat.kafka.offsets import kafka_offsets
from csat.local import airflow, stack
from csat.local.programs import AIRFLOW, DASHBOARD, PRODUCER
from csat.local.secret_files import write_private
from csat.local.supervisord import Supervisord
from csat.marts.builds import BuildRecord, last_record
from csat.reporting import queries
from csat.reporting.series import Series, with_rates
from csat.reporting.variables import ranking_window
from producer.options import SimulateOptions
from producer.run import Edges, simulate

HISTORY_DAYS = 30
_PROGRESS_FILE = "demo_history.json"
_ROWS = 10
_MARTS_DAG = "build_marts"
_LANDING_SECONDS, _MARTS_SECONDS = 300, 300
_POLL_SECONDS = 2

Progress = Callable[[str], None]


def demo(settings: Settings, on_progress: Progress) -> dict[str, Any]:
    """What the marts hold, with addresses and login; the stack keeps running, fed by a live simulator.

    A second call sends no second history and waits for no new build. Raises CsatError and what `up` raises.
    """
    stack.up(settings, on_progress)
    _send_history(settings, on_progress)
    sent = sum(offsets.end for offsets in kafka_offsets(settings, [settings.kafka_topic]).values())
    Supervisord(settings).start(PRODUCER)
    with Warehouse(settings) as warehouse:
        progress = _saved_progress(settings)
        if "accepted" not in progress:
            progress["accepted"] = _wait_for_landing(warehouse, sent, on_progress)
            _save_progress(settings, progress)
        _wait_for_marts(warehouse, progress["accepted"], on_progress)
        return {
            **_dashboard_rows(warehouse),
            "urls": {
                DASHBOARD: settings.dashboard,
                AIRFLOW[0]: settings.airflow,
                "bigquery": settings.endpoint,
            },
            "login": {
                "user": airflow_api.USER,
                "password": airflow.password(settings),
                "file": str(airflow_api.passwords_file(settings)),
            },
        }


def _dashboard_rows(warehouse: Warehouse) -> dict[str, Any]:
    """The best agents, the most common categories, and the last two days."""
    _, last = queries.mart_dates(warehouse)
    place = {"as_of_date": last, "window_id": ranking_window(), "row_limit": _ROWS}
    days = Series(last - timedelta(days=1), last).parameters()
    return {
        "agents": queries.LEADERBOARD.rows(warehouse, **place),
        "categories": queries.CATEGORIES.rows(warehouse, **place),
        "days": with_rates(queries.SERIES.rows(warehouse, **days)),
    }


def _send_history(settings: Settings, on_progress: Progress) -> None:
    progress = _saved_progress(settings)
    if progress.get("sent"):
        on_progress(f"the history of {progress['sent']:,} responses was sent before")
        return
    # Saved before the start: after an interruption, the same end makes the retry send the same responses
    end = datetime.fromisoformat(progress["end"]) if progress else datetime.now(UTC)
    _save_progress(settings, {"end": end.isoformat()})
    on_progress(f"sending {HISTORY_DAYS} days of history")
    report = simulate(settings, SimulateOptions(days=HISTORY_DAYS), edges=Edges(clock=lambda: end))
    if report.was_interrupted:
        raise KeyboardInterrupt
    _save_progress(settings, {"end": end.isoformat(), "sent": report.sent})
    on_progress(f"sent {report.sent:,} responses in {report.seconds:.0f} s")


def _saved_progress(settings: Settings) -> dict[str, Any]:
    """What earlier calls did: the end of the history, and the counts of sent and accepted responses."""
    file = settings.state / _PROGRESS_FILE
    return json.loads(file.read_text()) if file.exists() else {}


def _save_progress(settings: Settings, progress: dict[str, Any]) -> None:
    write_private(settings.state / _PROGRESS_FILE, json.dumps(progress))


def _wait_for_landing(warehouse: Warehouse, sent: int, on_progress: Progress) -> int:
    """The number of accepted rows, once one row has landed for every message that was sent."""
    reported = -1

    def landed() -> dict[str, int] | None:
        nonlocal reported
        counts = landing_counts(warehouse)
        if counts["rows"] >= sent:
            return counts
        if counts["rows"] != reported:
            reported = counts["rows"]
            on_progress(f"{reported:,} of {sent:,} responses have landed")
        return None

    counts = poll(landed, _LANDING_SECONDS, _POLL_SECONDS)
    if counts is None:
        raise CsatError(f"only {reported:,} of {sent:,} responses landed in time", "csat status; csat logs stream")
    on_progress(f"all {sent:,} responses have landed")
    return counts["accepted"]


def _wait_for_marts(warehouse: Warehouse, accepted: int, on_progress: Progress) -> None:
    """Return when a build covers this many accepted rows; trigger one in Airflow if none is running."""
    settings = warehouse.settings
    on_progress("waiting for Airflow to build the marts")

    def built() -> BuildRecord | None:
        record = last_record(warehouse)
        if record is not None and record.accepted_count >= accepted:
            return record
        if not _is_building(settings):
            on_progress(f"triggering {_MARTS_DAG} in Airflow")
            _call(settings, "POST", f"dags/{_MARTS_DAG}/dagRuns", {"logical_date": None})
        return None

    record = poll(built, _MARTS_SECONDS, _POLL_SECONDS)
    if record is None:
        raise CsatError("the marts were not built in time", f"read the logs of {_MARTS_DAG} in {_log_folder(settings)}")
    on_progress(f"the marts of {record.built_at:%H:%M} UTC hold {record.response_count:,} responses")


def _is_building(settings: Settings) -> bool:
    found = _call(settings, "GET", f"dags/{_MARTS_DAG}/dagRuns?state=running&state=queued&limit=1")
    return found is None or bool(found["dag_runs"])


def _call(settings: Settings, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
    try:
        return airflow_api.call(settings, method, path, body)
    except AirflowError:
        return None  # busy, or the DAG is not parsed yet: the next poll retries


def _log_folder(settings: Settings) -> Path:
    return airflow.home(settings) / "logs" / f"dag_id={_MARTS_DAG}"
