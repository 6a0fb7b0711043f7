import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest

from csat.contract.settings import Settings
from csat.control.state_files import StateFiles
from csat.control.verdict import DesiredState, Heartbeat, State, Verdict
from csat.local.secret_files import bigquery_token
from csat.local.status import answered_states, component_states, is_healthy, shown_components, status, stream_status
from tests.http_server import serving

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ALL_ANSWER = dict.fromkeys(
    (
        "kafka",
        "bigquery",
        "postgres",
        "airflow-api-server",
        "airflow-scheduler",
        "airflow-dag-processor",
        "airflow-triggerer",
        "stream",
        "dashboard",
    ),
    True,
)
OF_NO_STACK = ALL_ANSWER.keys() - {"postgres"}  # the database is another service's there


def running(**changes: object) -> dict[str, object]:
    return {"statename": "RUNNING", "start": (NOW - timedelta(hours=1)).timestamp(), **changes}


def test_status_has_its_whole_shape_when_nothing_runs(
    make_settings: Callable[..., Settings], free_port: Callable[[], int]
) -> None:
    names = ("kafka_port", "bigquery_port", "airflow_port", "supervisord_port", "dashboard_port", "postgres_port")
    ports = {name: free_port() for name in names}
    document = status(make_settings(**ports), NOW)
    down = {"state": "down", "url": None}
    assert document == {
        "project": "csat-local",
        "components": {
            "kafka": {"state": "down", "url": f"127.0.0.1:{ports['kafka_port']}"},
            "bigquery": {"state": "down", "url": f"http://127.0.0.1:{ports['bigquery_port']}"},
            "postgres": {"state": "down", "url": f"127.0.0.1:{ports['postgres_port']}"},
            "airflow-api-server": {"state": "down", "url": f"http://127.0.0.1:{ports['airflow_port']}"},
            "airflow-scheduler": down,
            "airflow-dag-processor": down,
            "airflow-triggerer": down,
            "stream": down,
            "dashboard": {"state": "down", "url": f"http://127.0.0.1:{ports['dashboard_port']}"},
        },
        "stream": {
            "state": "stopped",
            "token": None,
            "batch_id": None,
            "progress_age_seconds": None,
            "backlog": None,
            "rows_committed": None,
            "restarts": None,
        },
        "landing": {"rows": None, "accepted": None, "rejected": None},
        "marts": {"built_at": None, "age_seconds": None},
    }
    assert not is_healthy(document)


def test_status_makes_no_secrets_where_nothing_was_ever_started(
    make_settings: Callable[..., Settings], free_port: Callable[[], int]
) -> None:
    settings = make_settings(
        kafka_port=free_port(), bigquery_port=free_port(), airflow_port=free_port(), dashboard_port=free_port()
    )
    status(settings, NOW)
    assert not settings.state.exists()


@pytest.mark.parametrize(
    ("program", "does_answer", "state"),
    [
        (running(), True, "healthy"),
        (running(), False, "unhealthy"),
        (running(start=NOW.timestamp() - 5), False, "starting"),
        (running(statename="BACKOFF", start=NOW.timestamp() - 5), False, "unhealthy"),
        (running(statename="FATAL"), False, "down"),
        (running(statename="STOPPED"), True, "down"),
    ],
)
def test_component_is_judged_by_supervisord_and_by_its_own_response(
    program: dict[str, object], does_answer: bool, state: str
) -> None:
    programs = {name: running() for name in ALL_ANSWER} | {"kafka": program}
    assert component_states(programs, {**ALL_ANSWER, "kafka": does_answer}, NOW)["kafka"] == state


def test_component_without_supervisord_is_not_healthy_though_it_responds() -> None:
    states = component_states(None, ALL_ANSWER, NOW)
    assert states["kafka"] == "unsupervised"
    assert states["stream"] == "down"


@pytest.mark.parametrize(
    ("verdict", "state"),
    [
        (Verdict.STARTING, "starting"),
        (Verdict.LAGGING, "unhealthy"),
        (Verdict.DEAD_OR_FROZEN, "unhealthy"),
        (Verdict.STOPPED, "down"),
        (Verdict.NEVER_STARTED, "down"),
    ],
)
def test_a_component_in_a_container_is_judged_by_its_own_response(verdict: Verdict, state: str) -> None:
    states = answered_states({**ALL_ANSWER, "kafka": False, "stream": False}, verdict)
    assert states == {**dict.fromkeys(ALL_ANSWER, "healthy"), "kafka": "down", "stream": state}
    assert set(answered_states(ALL_ANSWER, Verdict.IDLE).values()) == {"healthy"}


def test_containers_are_asked_at_their_own_addresses_and_supervisord_is_not(
    make_settings: Callable[..., Settings], free_port: Callable[[], int], healthy_services: str
) -> None:
    settings = make_settings(
        bigquery_endpoint=healthy_services,
        airflow_url=healthy_services,
        dashboard_url=healthy_services,
        supervisord_url=f"http://127.0.0.1:{free_port()}/RPC2",
        kafka_bootstrap_servers=f"127.0.0.1:{free_port()}",
        **{name: free_port() for name in ("kafka_port", "bigquery_port", "airflow_port", "dashboard_port")},
    )
    bigquery_token(settings)
    document = status(settings, NOW)
    components = document["components"]
    found = {name: component["state"] for name, component in components.items()}
    assert found == {**dict.fromkeys(OF_NO_STACK, "healthy"), "kafka": "down", "stream": "down"}
    assert components["dashboard"]["url"] == healthy_services
    assert document["landing"] == {"rows": 5, "accepted": 4, "rejected": 1}
    assert not (settings.state / "secrets" / "supervisord").exists()


def test_bigquery_that_answers_no_query_is_not_healthy_and_its_numbers_are_unknown(
    make_settings: Callable[..., Settings], free_port: Callable[[], int]
) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def do_POST(self) -> None:
            self.send_error(400)

    with serving(Handler) as port:
        names = ("kafka_port", "airflow_port", "dashboard_port")
        settings = make_settings(
            bigquery_endpoint=f"http://127.0.0.1:{port}",
            supervisord_url=f"http://127.0.0.1:{free_port()}/RPC2",
            **{name: free_port() for name in names},
        )
        bigquery_token(settings)
        document = status(settings, NOW)
    assert document["landing"]["rows"] is None
    assert document["components"]["bigquery"]["state"] == "down"
    assert not is_healthy(document)


def test_google_cloud_shows_airflow_and_the_dashboard_only_if_their_addresses_are_set(
    make_settings: Callable[..., Settings],
) -> None:
    cloud = {"target": "gcp", "project_id": "shopzilla"}
    assert shown_components(make_settings(**cloud)) == ["kafka", "bigquery", "stream"]
    known = make_settings(**cloud, airflow_url="https://airflow.example", dashboard_url="https://csat.example")
    assert set(shown_components(known)) == OF_NO_STACK


@pytest.fixture
def healthy_services() -> Iterator[str]:
    """The address of a server that answers as Airflow, the emulator and the dashboard do when they are healthy."""
    parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer({name: {"status": "healthy"} for name in parts})

        def do_POST(self) -> None:
            """Answer a query: the landing table has five rows, and there was no build."""
            statement = self.rfile.read(int(self.headers["Content-Length"])).decode()
            names = ("row_count", "accepted_count", "rejected_count")
            rows = [] if "mart_builds" in statement else [{"f": [{"v": "5"}, {"v": "4"}, {"v": "1"}]}]
            fields = [{"name": name, "type": "INTEGER", "mode": "NULLABLE"} for name in names]
            reference = {"projectId": "csat-local", "jobId": "j", "location": "US"}
            total = {"totalRows": str(len(rows)), "jobComplete": True, "jobReference": reference}
            self.answer({"schema": {"fields": fields}, "rows": rows, **total})

        def answer(self, document: object) -> None:
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Handler) as port:
        yield f"http://127.0.0.1:{port}"


def test_stream_status_counts_restarts_and_the_age_of_progress(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    state_files = StateFiles(settings.state_files)
    starts = (NOW - timedelta(minutes=9), NOW - timedelta(minutes=5))
    state_files.write_desired_state(DesiredState(token="t", desired="run", reason="", at=starts[-1], started_at=starts))
    state_files.write_heartbeat(
        Heartbeat(
            token="t",
            driver_id="d",
            state=State.RUNNING,
            at=NOW - timedelta(seconds=2),
            started_at=starts[-1],
            batch_id=7,
            progress_at=NOW - timedelta(seconds=4),
            backlog=3,
            rows_committed=42,
        )
    )
    assert stream_status(settings, NOW) == {
        "state": "healthy",
        "token": "t",
        "batch_id": 7,
        "progress_age_seconds": 4.0,
        "backlog": 3,
        "rows_committed": 42,
        "restarts": 1,
    }


def test_stream_status_shows_no_number_of_an_earlier_run(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    state_files = StateFiles(settings.state_files)
    state_files.write_desired_state(DesiredState(token="new", desired="run", reason="", at=NOW, started_at=(NOW,)))
    state_files.write_heartbeat(
        Heartbeat(token="old", driver_id="d", state=State.RUNNING, at=NOW, started_at=NOW, backlog=9)
    )
    found = stream_status(settings, NOW)
    assert (found["state"], found["token"], found["backlog"]) == ("starting", "new", None)
