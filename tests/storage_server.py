"""Cloud Storage on this machine, as far as csat uses it: whole objects by name, with generations and sums.

Its client is Google's API's own: gcsfs, given the address by `client_options`.
"""

import hashlib
import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest


@dataclass
class Store:
    """The objects of all buckets by bucket/name, and what to respond instead of them."""

    objects: dict[str, bytes] = field(default_factory=dict)
    generations: dict[str, int] = field(default_factory=dict)
    writes: list[bytes] = field(default_factory=list)
    read: list[str] = field(default_factory=list)  # the objects whose content was read
    status: int = 0
    is_silent: bool = False
    released: threading.Event = field(default_factory=threading.Event)
    endpoint: str = ""

    @property
    def client_options(self) -> dict[str, str]:
        """The arguments of gcsfs's file system."""
        return {"token": "anon", "endpoint_url": self.endpoint}

    @property
    def variables(self) -> dict[str, str]:
        """The environment that gives them to fsspec in another process."""
        return {f"FSSPEC_GS_{name.upper()}": value for name, value in self.client_options.items()}

    def write(self, name: str, content: bytes) -> None:
        """Replace an object, whose generation becomes another."""
        self.objects[name] = content
        self.generations[name] = self.generations.get(name, 0) + 1

    def about(self, name: str) -> bytes:
        """An object's resource: https://docs.cloud.google.com/storage/docs/json_api/v1/objects."""
        content = self.objects[name]
        bucket, _, key = name.partition("/")
        about = {"kind": "storage#object", "bucket": bucket, "name": key, "size": str(len(content))}
        about |= {"generation": str(self.generations.get(name, 1)), "updated": "2026-01-01T00:00:00Z"}
        about["md5Hash"] = b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        return json.dumps(about).encode()


@contextmanager
def storage() -> Iterator[Store]:
    """A store on a free port."""
    store = Store()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler_of(store)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        store.endpoint = f"http://127.0.0.1:{server.server_port}"
        try:
            yield store
        finally:
            store.released.set()
            server.shutdown()
            thread.join()


@contextmanager
def storage_of_this_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store that gs:// names in this process."""
    import fsspec.config
    import gcsfs

    with storage() as found:
        monkeypatch.setitem(fsspec.config.conf, "gs", found.client_options)
        gcsfs.GCSFileSystem.clear_instance_cache()
        yield found


def handler_of(store: Store) -> type[BaseHTTPRequestHandler]:
    """What serves the store."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *arguments: Any) -> None:
            pass

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            name = object_name(address.path)
            if name not in store.objects:
                self._answer(None)
            elif "alt=media" in address.query:
                store.read.append(name)
                self._answer(store.objects[name])
            else:
                self._answer(store.about(name))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            store.writes.append(body)
            # A multipart body: the object's name and type, then its bytes.
            _, about, content, _ = body.split(
                self.headers["Content-Type"].split("boundary=")[1].strip("'\"").encode(), 3
            )
            text = content.split(b"\n\n", 1)[1].removesuffix(b"\n--")
            key = about.split(b'"name": "')[1].split(b'"')[0].decode()
            name = object_name(f"{urlsplit(self.path).path}/{key}")
            store.write(name, text)
            self._answer(store.about(name))

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


def object_name(path: str) -> str:
    """Bucket and name of the object that an address of the API names."""
    bucket, _, name = path.partition("/b/")[2].partition("/o")
    return f"{bucket}/{unquote(name.lstrip('/'))}"
