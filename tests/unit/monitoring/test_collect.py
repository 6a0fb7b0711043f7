"""How facts are collected: each source from literals, or unreachable."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from csat.contract.alerts import AlertKey
from csat.contract.settings import Settings
from csat.control.open_alerts import AlertState
from csat.kafka import login as kafka_login
from csat.kafka.lag import KafkaFacts, backlog, overdue
from csat.kafka.offsets import Offsets
from csat.local.ports import free_ports
from csat.monitoring import collect
from csat.monitoring.checkpoint import CheckpointError, committed_offsets
from csat.monitoring.checks import Grade, run_checks
from csat.monitoring.facts import Limits, MartFacts, Missing, RunFacts
from csat.monitoring.recent_landing import mart_facts, recent_landing
from tests.http_server import serving
from tests.unit.monitoring.conftest import NOON, ago

EVER = datetime.min.replace(tzinfo=UTC)


def checkpoint(folder: Path, committed: int | None = 1) -> str:
    """A checkpoint of two batches, of which the first N are committed."""
    (folder / "offsets").mkdir(parents=True)
    (folder / "commits").mkdir()
    for number, offsets in enumerate(({"0": 5, "1": 3}, {"0": 9, "1": 3})):
        (folder / "offsets" / str(number)).write_text(f'v1\n{{"conf":1}}\n{json.dumps({"messages": offsets})}\n')
    for number in range((committed or 0) + 1 if committed is not None else 0):
        (folder / "commits" / str(number)).write_text("v1\n{}")
        (folder / "commits" / f".{number}.crc").touch()
    return str(folder)


@pytest.mark.parametrize(("committed", "offsets"), [(None, {}), (0, {0: 5, 1: 3}), (1, {0: 9, 1: 3})])
def test_the_checkpoint_holds_the_offsets_of_the_last_committed_batch(
    tmp_path: Path, committed: int | None, offsets: dict[int, int]
) -> None:
    assert committed_offsets(checkpoint(tmp_path, committed), "messages") == offsets


def test_a_missing_checkpoint_has_committed_nothing(tmp_path: Path) -> None:
    assert committed_offsets(str(tmp_path / "none"), "messages") == {}
    assert committed_offsets("memory://no-checkpoint", "messages") == {}


def test_a_checkpoint_in_an_object_store_is_read() -> None:
    import fsspec

    files = fsspec.filesystem("memory")
    files.pipe("/checkpoint-1/commits/4", b"v1\n{}")
    files.pipe("/checkpoint-1/offsets/4", b'v1\n{}\n{"messages":{"0":70}}\n')
    assert committed_offsets("memory://checkpoint-1", "messages") == {0: 70}


def test_a_broken_checkpoint_is_named(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path)
    (tmp_path / "offsets" / "1").write_text("half a fi")
    with pytest.raises(CheckpointError, match=r"cannot be read .*check CSAT_CHECKPOINT_URI"):
        committed_offsets(folder, "messages")


ENDS = {0: Offsets(2, 10), 1: Offsets(0, 4)}


@pytest.mark.parametrize(
    ("firsts", "committed", "waits", "is_overdue"),
    [
        ({0: -1, 1: -1}, {0: 10, 1: 4}, 0, 0),
        ({0: 8, 1: 4}, {0: 8, 1: 4}, 2, 0),
        ({0: 8, 1: 4}, {0: 5, 1: 1}, 8, 6),
        ({0: -1, 1: 4}, {0: 5, 1: 4}, 5, 5),
        ({0: -1, 1: -1}, {}, 12, 12),
        ({0: 9, 1: 9}, {0: 20, 1: 9}, 0, 0),
        ({0: 15, 1: 4}, {0: 8, 1: 4}, 2, 2),
    ],
    ids=[
        *["all committed", "new ones", "old and new ones", "none is new", "nothing committed", "a recreated topic"],
        "new ones behind an open transaction",
    ],
)
def test_messages_after_the_committed_offsets_wait(
    firsts: dict[int, int], committed: dict[int, int], waits: int, is_overdue: int
) -> None:
    assert (backlog(ENDS, committed), overdue(ENDS, firsts, committed)) == (waits, is_overdue)


class FakeWarehouse:
    """Responds to each kind of query, and records the queries."""

    def __init__(self, recent: list[dict[str, Any]]) -> None:
        self.settings = Settings(_env_file=None)
        self.recent = recent
        self.queries: list[tuple[str, dict[str, Any]]] = []
        self.gaps: list[dict[str, Any]] = []

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        if "mart_builds" in sql:
            return []
        if "accepted_losses" in sql:
            return []
        if "lead(kafka_offset)" in sql:
            self.queries.append(("gaps", parameters))
            return self.gaps
        if "min(ingested_at)" in sql:
            self.queries.append(("waiting", parameters))
            return [{"waiting_since": ago(60)}]
        self.queries.append(("recent", parameters))
        return self.recent


def landed(records: int, rows: int | None = None, distinct: int | None = None, rejected: int = 0) -> dict[str, Any]:
    rows = records if rows is None else rows
    counts = {"row_count": rows, "distinct_offsets": rows if distinct is None else distinct, "record_count": records}
    return {"kafka_topic": "m", "kafka_partition": 0, **counts, "rejected_count": rejected, "newest_at": ago(records)}


def recent(fake: Any, examined_at: datetime | None = None) -> Any:
    return recent_landing(fake, NOON, examined_at)  # it only queries rows


def test_the_last_hour_is_read_from_the_newest_partitions_only() -> None:
    fake = FakeWarehouse([landed(60, rejected=2), landed(40, rows=41, distinct=40)])
    found = recent(fake)
    assert fake.queries == [("recent", {"since": ago(3600), "until": NOON})]
    assert (found.facts.records, found.facts.rejected, found.facts.lost, found.facts.duplicated) == (100, 2, 0, 1)
    assert (found.facts.newest_at, found.examined_at) == (ago(40), None)


def test_where_nothing_landed_nothing_is_lost() -> None:
    facts = recent(FakeWarehouse([])).facts
    assert (facts.records, facts.lost, facts.duplicated, facts.newest_at) == (0, 0, 0, None)


def test_a_gap_is_examined_beside_the_rows_of_two_hours() -> None:
    fake = FakeWarehouse([landed(100, rows=90)])
    found = recent(fake)
    period = {"since": ago(7200), "until": NOON, "landed_since": ago(7200) - timedelta(days=2)}
    assert fake.queries[1:] == [("gaps", period)]
    assert (found.facts.lost, found.examined_at) == (0, NOON)


def test_a_gap_is_unknown_and_not_examined_while_kafka_is_unreachable() -> None:
    fake = FakeWarehouse([landed(100, rows=90)])
    fake.settings = Settings(_env_file=None, kafka_bootstrap_servers="127.0.0.1:1")
    place = {"kafka_topic": "m", "kafka_topic_id": "i", "kafka_partition": 0}
    fake.gaps = [{**place, "first_offset": 50, "end_offset": 53}]
    found = recent(fake, examined_at=ago(3600))
    assert (found.facts.lost, found.facts.duplicated, found.examined_at) == (None, 0, ago(3600))


def test_all_partitions_are_examined_at_most_once_an_hour() -> None:
    found = recent(FakeWarehouse([landed(100, rows=90)]), examined_at=ago(3599))
    assert (found.facts.lost, found.examined_at) == (None, ago(3599))
    assert recent(FakeWarehouse([landed(100, rows=90)]), examined_at=ago(3600)).examined_at == NOON


def test_an_examination_in_the_future_is_not_recent() -> None:
    found = recent(FakeWarehouse([landed(100, rows=90)]), examined_at=ago(-61))
    assert (found.facts.lost, found.examined_at) == (0, NOON)


def test_rows_wait_for_the_marts_since_the_last_watermark() -> None:
    fake: Any = FakeWarehouse([])
    assert mart_facts(fake, NOON) == MartFacts(None, ago(60))
    assert fake.queries == [("waiting", {"watermark": EVER, "recent": NOON - timedelta(days=2)})]


@pytest.mark.parametrize(
    ("states", "facts"),
    [
        ([("running", None), ("failed", "2026-11-20T11:59:00Z")], RunFacts(False, 1, ago(60))),
        ([("queued", None)], RunFacts(False, 1, None)),
        ([("failed", "2026-11-20T11:58:00Z"), ("success", "2026-11-20T11:00:00Z")], RunFacts(False, 0, ago(120))),
        ([], RunFacts(False, 0, None)),
    ],
)
def test_a_running_or_queued_run_is_active(states: list[tuple[str, str | None]], facts: RunFacts) -> None:
    runs = [{"state": state, "end_date": ended} for state, ended in states]
    assert collect.run_facts({"is_paused": False}, runs) == facts


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_login, "CONTACT_MILLISECONDS", 300)
    monkeypatch.setattr(collect, "_CALL_SECONDS", 0.3)


def dead(tmp_path: Path, **changes: Any) -> Settings:
    """Settings whose every service is a closed port."""
    return Settings(state_dir=tmp_path, _env_file=None, **free_ports(), **changes)


def test_all_checks_fail_where_nothing_runs(tmp_path: Path) -> None:
    settings = dead(tmp_path)
    (tmp_path / "stream").mkdir()
    (tmp_path / "stream" / "desired_state.json").write_text("{")
    facts = collect.collect(settings, AlertState(), NOON).facts
    assert {name: fact.alert for name, fact in vars(facts).items() if isinstance(fact, Missing)} == {
        "stream": AlertKey.STATE_FILES_UNREADABLE,
        "kafka": AlertKey.KAFKA_UNREACHABLE,
        "topic": AlertKey.KAFKA_UNREACHABLE,
        "landing": AlertKey.BIGQUERY_UNREACHABLE,
        "marts": AlertKey.BIGQUERY_UNREACHABLE,
        "load_jobs": None,
        "airflow": AlertKey.AIRFLOW_UNREACHABLE,
        "run": None,
    }
    results = {result.check: result.grade for result in run_checks(facts, Limits.of(settings))}
    assert results == {
        "stream_heartbeat": Grade.CRITICAL,
        "stream_verdict": Grade.CRITICAL,
        "stream_uptime": Grade.CRITICAL,
        "run_stream_dag": Grade.SKIPPED,
        "kafka_backlog": Grade.CRITICAL,
        "topic_configuration": Grade.CRITICAL,
        "landing_freshness": Grade.CRITICAL,
        "completeness": Grade.CRITICAL,
        "reject_rate": Grade.CRITICAL,
        "marts_freshness": Grade.CRITICAL,
        "airflow_components": Grade.CRITICAL,
        "load_job_quota": Grade.SKIPPED,
        "disk_space": Grade.OK,
    }


@pytest.fixture
def airflow() -> Iterator[tuple[str, dict[str, Any]]]:
    """A server that responds like Airflow's API: its address, and the response by path."""
    responses: dict[str, Any] = {"/auth/token": {"access_token": "t"}}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(responses.get(self.path.partition("?")[0], {})).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

    with serving(Handler) as port:
        yield f"http://127.0.0.1:{port}", responses


def test_airflow_reports_its_components_and_the_runs_of_the_stream(tmp_path: Path, airflow: Any) -> None:
    url, responses = airflow
    heartbeats = {name: {"status": "healthy"} for name in ("metadatabase", "scheduler", "dag_processor")}
    responses["/api/v2/monitor/health"] = heartbeats | {"triggerer": {"status": None}}
    responses["/api/v2/dags/run_stream"] = {"is_paused": True}
    responses["/api/v2/dags/run_stream/dagRuns"] = {"dag_runs": [{"state": "running", "end_date": None}]}
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "airflow_passwords.json").write_text('{"admin": "p"}')
    facts = collect.collect(dead(tmp_path, airflow_url=url), AlertState(), NOON).facts
    assert facts.airflow == {
        "metadatabase": "healthy",
        "scheduler": "healthy",
        "dag_processor": "healthy",
        "triggerer": "missing",
    }
    assert facts.run == RunFacts(True, 1, None)


def test_a_topic_that_may_not_be_read_is_not_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "require_listening", lambda *_: None)
    monkeypatch.setattr(collect, "topic_facts", lambda settings: None)
    facts = collect.collect(dead(tmp_path), AlertState(), NOON).facts
    assert isinstance(facts.topic, Missing)
    assert facts.topic.alert is None
    assert "DESCRIBE_CONFIGS" in facts.topic.reason


def test_local_only_facts_are_not_collected_on_google_cloud(tmp_path: Path) -> None:
    settings = dead(tmp_path, target="gcp", project_id="shop", bigquery_endpoint="http://127.0.0.1:9")
    facts = collect.collect(settings, AlertState(), NOON).facts
    assert facts.airflow == Missing("not checked: CSAT_AIRFLOW_URL is empty")
    assert facts.free_bytes == Missing("staging files are in a bucket")
    assert isinstance(facts.load_jobs, Missing)
    assert facts.load_jobs.alert is AlertKey.BIGQUERY_UNREACHABLE
    assert not isinstance(facts.kafka, KafkaFacts)


def test_an_error_that_no_source_names_is_a_fact_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(settings: Settings) -> None:
        raise RuntimeError("an error of a library")

    monkeypatch.setattr(collect, "_stream", broken)
    settings = Settings(_env_file=None, state_dir=tmp_path, **free_ports())
    facts = collect.collect(settings, AlertState(), NOON).facts
    assert facts.stream == Missing("RuntimeError: an error of a library", AlertKey.STATE_FILES_UNREADABLE)
