"""StateFiles in Cloud Storage: the real client, against a server on this machine that speaks its API."""

from collections.abc import Iterator

import pytest

from csat.control import object_store as store_module
from csat.control.state_files import StateFiles, StateFilesUnreachableError
from tests.storage_server import Store, storage_of_this_process
from tests.unit.control.test_state_files import desired_state

URI = "gs://shop-state/stream"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    with storage_of_this_process(monkeypatch) as found:
        yield found


def test_a_state_file_round_trips_through_cloud_storage(store: Store) -> None:
    state_files = StateFiles(URI)
    assert state_files.desired_state() is None
    state_files.write_desired_state(desired_state("t1"))
    state_files.write_desired_state(desired_state("t2"))
    assert state_files.desired_state() == desired_state("t2")
    assert list(store.objects) == ["shop-state/stream/desired_state.json"]
    assert store.generations == {"shop-state/stream/desired_state.json": 2}


def test_a_state_file_is_written_by_one_request_so_that_no_reader_sees_a_part_of_it(store: Store) -> None:
    StateFiles(URI).write_desired_state(desired_state())
    assert len(store.writes) == 1


def test_the_md5_of_an_object_is_read_and_not_the_object(store: Store) -> None:
    store.write("shop-code/a.jar", b"jar")
    assert store_module.md5_of("gs://shop-code/a.jar") == "aJlfy/QySS0VSE0EqdKsQA=="
    assert store.read == []


def test_a_store_that_does_not_respond_is_an_error_in_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_SECONDS", 0.2)
    store.is_silent = True
    with pytest.raises(StateFilesUnreachableError, match=rf"{URI}/desired_state\.json cannot be accessed"):
        StateFiles(URI).desired_state()


def test_a_store_that_refuses_is_an_error_that_names_the_fix(store: Store) -> None:
    store.status = 403
    with pytest.raises(
        StateFilesUnreachableError, match=r"this account may read and write there \(CSAT_STATE_FILES_URI\)"
    ):
        StateFiles(URI).write_desired_state(desired_state())
