import fcntl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from csat.documents import DocumentError, Documents
from csat.health import Control, Health, State
from csat.watch import Watch

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def control(token: str = "t1") -> Control:
    return Control(token=token, desired="run", reason="first start", at=NOW, started_at=(NOW,))


def health(token: str = "t1") -> Health:
    return Health(token=token, driver_id="d1", state=State.RUNNING, at=NOW, started_at=NOW, batch_id=7, backlog=3)


def test_documents_are_none_before_they_are_written(tmp_path: Path) -> None:
    documents = Documents(str(tmp_path / "stream"))
    assert (documents.control(), documents.health()) == (None, None)


def test_documents_come_back_as_they_were_written(tmp_path: Path) -> None:
    documents = Documents(str(tmp_path / "stream"))
    documents.write_control(control())
    documents.write_health(health())
    assert (documents.control(), documents.health()) == (control(), health())


def test_documents_come_back_from_an_address_of_fsspec() -> None:
    documents = Documents("memory://test-documents")
    assert documents.health() is None
    documents.write_health(health())
    assert documents.health() == health()


def test_a_write_replaces_the_document_and_leaves_no_draft(tmp_path: Path) -> None:
    documents = Documents(str(tmp_path))
    documents.write_control(control("t1"))
    documents.write_control(control("t2"))
    assert documents.control() == control("t2")
    assert [path.name for path in tmp_path.iterdir()] == ["control.json"]


def test_a_reader_with_the_file_open_sees_the_whole_old_document_during_a_write(tmp_path: Path) -> None:
    documents = Documents(str(tmp_path))
    documents.write_control(control("t1"))
    with (tmp_path / "control.json").open() as reader:
        documents.write_control(control("t2"))
        assert Control.model_validate_json(reader.read()) == control("t1")


def test_a_failed_write_keeps_the_old_document_and_leaves_no_draft(tmp_path: Path) -> None:
    (tmp_path / "health.json").mkdir()
    with pytest.raises(OSError, match=r"health\.json"):
        Documents(str(tmp_path)).write_health(health())
    assert [path.name for path in tmp_path.iterdir()] == ["health.json"]


@pytest.mark.parametrize("text", ["", "{", '{"token": "t1"}'])
def test_a_document_that_is_not_one_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "control.json").write_text(text)
    with pytest.raises(DocumentError, match=r"control\.json is not a Control document; delete it"):
        Documents(str(tmp_path)).control()


def test_the_watch_is_empty_before_the_first_look_and_comes_back_as_it_was_written(tmp_path: Path) -> None:
    documents = Documents(str(tmp_path / "stream"))
    assert documents.watch() == Watch()
    documents.write_watch(Watch(bad_token="t1", looked_at=NOW))
    assert (documents.watch().bad_token, documents.watch().looked_at) == ("t1", NOW)


def test_the_watch_lock_keeps_a_second_writer_out(tmp_path: Path) -> None:
    documents = Documents(str(tmp_path))
    with documents.watch_lock(), (tmp_path / "watch.lock").open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
