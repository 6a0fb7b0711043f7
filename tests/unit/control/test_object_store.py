"""StateFiles in Cloud Storage: the real client, against a server on this machine that speaks its API."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from csat.control import object_store as store_module
from csat.control.state_files import StateFiles, StateFilesUnreachableError
from tests.unit.control.test_state_files import desired_state

URI = "gs://shop-state/stream"


@dataclass
class Store:
    """A bucket's objects by name, and what to respond instead of them."""

    objects: dict[str, bytes] = field(default_factory=dict)
    writes: list[bytes] = field(default_factory=list)
    status: int = 0
    is_silent: bool = False
    released: threading.Event = field(default_factory=threading.Event)


def handler_of(store: Store) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *arguments: Any) -> None:
            pass

        def do_GET(self) -> None:
            name = unquote(urlsplit(self.path).path.rsplit("/o/", 1)[-1])
            self._answer(store.objects.get(name))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            store.writes.append(body)
            # A multipart body: the object's name and type, then its bytes.
            _, about, content, _ = body.split(self.headers["Content-Type"].split("boundary=")[1].strip("'\"").encode())
            text = content.split(b"\r\n\r\n" if b"\r\n\r\n" in content else b"\n\n", 1)[1]
            store.objects[about.split(b'"name": "')[1].split(b'"')[0].decode()] = text.rstrip(b"-\r\n")
            self._answer(b"{}")

        def _answer(self, body: bytes | None) -> None:
            if store.is_silent:
                store.released.wait(30)
                return
            status = store.status or (404 if body is None else 200)
            response = body if status == 200 and body is not None else b'{"error": {"message": "no", "code": 1}}'
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(response)))
            self.end_headers()
            self.wfile.write(response)

    return Handler


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    import fsspec.config
    import gcsfs

    found = Store()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler_of(found)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setitem(fsspec.config.conf, "gs", {"token": "anon", "endpoint_url": endpoint})
        gcsfs.GCSFileSystem.clear_instance_cache()
        yield found
        found.released.set()
        server.shutdown()
        thread.join()


def test_a_state_file_round_trips_through_cloud_storage(store: Store) -> None:
    state_files = StateFiles(URI)
    assert state_files.desired_state() is None
    state_files.write_desired_state(desired_state("t1"))
    state_files.write_desired_state(desired_state("t2"))
    assert state_files.desired_state() == desired_state("t2")
    assert list(store.objects) == ["stream/desired_state.json"]


def test_a_state_file_is_written_by_one_request_so_that_no_reader_sees_a_part_of_it(store: Store) -> None:
    StateFiles(URI).write_desired_state(desired_state())
    assert len(store.writes) == 1


def test_the_md5_of_an_object_is_read_and_not_the_object(store: Store) -> None:
    about = {"name": "a.jar", "size": "3", "md5Hash": "sum", "updated": "2026-01-01T00:00:00Z"}
    store.objects["a.jar"] = json.dumps(about).encode()
    assert store_module.md5_of("gs://shop-code/a.jar") == "sum"


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
