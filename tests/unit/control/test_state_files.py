import fcntl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from csat.control.open_alerts import AlertState
from csat.control.state_files import StateFileError, StateFiles, StateFilesUnreachableError
from csat.control.verdict import DesiredState, Heartbeat, State

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def desired_state(token: str = "t1") -> DesiredState:
    return DesiredState(token=token, desired="run", reason="first start", at=NOW, started_at=(NOW,))


def heartbeat(token: str = "t1") -> Heartbeat:
    return Heartbeat(token=token, driver_id="d1", state=State.RUNNING, at=NOW, started_at=NOW, batch_id=7, backlog=3)


def test_state_files_are_none_before_they_are_written(tmp_path: Path) -> None:
    state_files = StateFiles(str(tmp_path / "stream"))
    assert (state_files.desired_state(), state_files.heartbeat()) == (None, None)


def test_state_files_round_trip(tmp_path: Path) -> None:
    state_files = StateFiles(str(tmp_path / "stream"))
    state_files.write_desired_state(desired_state())
    state_files.write_heartbeat(heartbeat())
    assert (state_files.desired_state(), state_files.heartbeat()) == (desired_state(), heartbeat())


def test_state_files_round_trip_through_fsspec() -> None:
    state_files = StateFiles("memory://test-state-files")
    assert state_files.heartbeat() is None
    state_files.write_heartbeat(heartbeat())
    assert state_files.heartbeat() == heartbeat()


def test_a_write_replaces_the_file_and_leaves_no_draft(tmp_path: Path) -> None:
    state_files = StateFiles(str(tmp_path))
    state_files.write_desired_state(desired_state("t1"))
    state_files.write_desired_state(desired_state("t2"))
    assert state_files.desired_state() == desired_state("t2")
    assert [path.name for path in tmp_path.iterdir()] == ["desired_state.json"]


def test_a_reader_with_the_file_open_sees_all_of_the_old_content_during_a_write(tmp_path: Path) -> None:
    state_files = StateFiles(str(tmp_path))
    state_files.write_desired_state(desired_state("t1"))
    with (tmp_path / "desired_state.json").open() as reader:
        state_files.write_desired_state(desired_state("t2"))
        assert DesiredState.model_validate_json(reader.read()) == desired_state("t1")


def test_a_folder_that_cannot_be_accessed_is_unknown_state_and_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "desired_state.json").mkdir()
    state_files = StateFiles(str(tmp_path))
    with pytest.raises(StateFilesUnreachableError, match=r"state\.json cannot be accessed .*STATE_FILES_URI"):
        state_files.desired_state()
    with pytest.raises(StateFilesUnreachableError, match="CSAT_STATE_FILES_URI"):
        state_files.write_desired_state(desired_state())


def test_a_failed_write_keeps_the_old_file_and_leaves_no_draft(tmp_path: Path) -> None:
    (tmp_path / "heartbeat.json").mkdir()
    with pytest.raises(OSError, match=r"heartbeat\.json"):
        StateFiles(str(tmp_path)).write_heartbeat(heartbeat())
    assert [path.name for path in tmp_path.iterdir()] == ["heartbeat.json"]


@pytest.mark.parametrize("content", [b"", b"{", b'{"token": "t1"}', b"\xff\xfe\x00", b'{"token": "\xe9"}'])
def test_an_invalid_state_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "desired_state.json").write_bytes(content)
    with pytest.raises(StateFileError, match=r"desired_state\.json is not a valid DesiredState; delete it"):
        StateFiles(str(tmp_path)).desired_state()


def test_an_object_that_is_not_text_is_an_invalid_state_file() -> None:
    import fsspec

    fsspec.filesystem("memory").pipe_file("/test-not-text/heartbeat.json", b"\xff\xfe\x00")
    with pytest.raises(StateFileError, match=r"heartbeat\.json is not a valid Heartbeat; delete it"):
        StateFiles("memory://test-not-text").heartbeat()


def test_the_alert_state_is_empty_before_the_first_health_check_and_round_trips(tmp_path: Path) -> None:
    state_files = StateFiles(str(tmp_path / "stream"))
    assert state_files.alert_state() == AlertState()
    state_files.write_alert_state(AlertState(unhealthy_token="t1", checked_at=NOW))
    assert (state_files.alert_state().unhealthy_token, state_files.alert_state().checked_at) == ("t1", NOW)


def test_the_alert_state_lock_excludes_a_second_writer(tmp_path: Path) -> None:
    state_files = StateFiles(str(tmp_path))
    with (
        state_files.alert_state_lock(),
        (tmp_path / "alert_state.lock").open() as other,
        pytest.raises(BlockingIOError),
    ):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
