"""When a person's decision on the stream is refused, because a driver runs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from csat.bigquery.landing_migration import require_no_driver
from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.control.state_files import StateFiles
from csat.control.verdict import Heartbeat, State
from csat.kafka import login
from csat.monitoring.decisions import find_change, find_expired

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def of(tmp_path: Path, ahead: float, state: State = State.RUNNING) -> Settings:
    """Settings without Kafka, with a heartbeat that is so many seconds ahead of noon."""
    settings = Settings(state_dir=tmp_path, _env_file=None, stale_seconds=20, kafka_bootstrap_servers="127.0.0.1:1")
    at = NOON + timedelta(seconds=ahead)
    StateFiles(settings.state_files).write_heartbeat(
        Heartbeat(token="t", driver_id="d", state=state, at=at, started_at=at)
    )
    return settings


@pytest.mark.parametrize(("ahead", "runs"), [(-21, False), (-20, True), (20, True), (21, False)])
def test_a_heartbeat_of_the_future_is_of_no_running_driver(
    tmp_path: Path, ahead: float, runs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "CONTACT_MILLISECONDS", 300)
    settings = of(tmp_path, ahead)
    with pytest.raises(CsatError, match="the stream runs" if runs else "Kafka"):
        find_change(settings, NOON)
    with pytest.raises(CsatError, match="the stream runs" if runs else "Kafka"):
        find_expired(settings, None, NOON)  # type: ignore[arg-type]  # Kafka is asked first


@pytest.mark.parametrize("state", [State.STARTING, State.RUNNING])
def test_a_heartbeat_of_the_future_does_not_refuse_a_migration(tmp_path: Path, state: State) -> None:
    with pytest.raises(CsatError, match="the stream runs"):
        require_no_driver(of(tmp_path, 20, state), NOON)
    require_no_driver(of(tmp_path, 3600, state), NOON)
