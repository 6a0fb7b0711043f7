"""A tiny OpenID Connect server on 127.0.0.1: client credentials in, a signed token out."""

import base64
import binascii
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

AUDIENCE = "kafka"
SCOPE = "answers"
CLIENT_ID = "csat-stream"
CLIENT_SECRET = 'an open "secret" with \\ and \' in it'
_TOKEN_SECONDS = 300


@contextmanager
def token_server(folder: Path) -> Iterator[str]:
    """The address of a running server: /token gives tokens, /keys the key that they are signed with."""
    key = folder / "token-key.pem"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], capture_output=True, timeout=30, check=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"key": key}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    key: Path

    def do_GET(self) -> None:
        self._answer(200, {"keys": [_public_key(self.key)]})

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if _basic(self.headers["Authorization"]) != f"{CLIENT_ID}:{CLIENT_SECRET}":
            self._answer(401, {"error": "invalid_client"})
        elif form != {"grant_type": ["client_credentials"], "scope": [SCOPE]}:
            self._answer(400, {"error": "invalid_scope"})
        else:
            self._answer(200, {"access_token": _token(self.key), "expires_in": _TOKEN_SECONDS, "token_type": "Bearer"})

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the test's output is for the test."""


def _basic(header: str) -> str:
    try:
        return base64.b64decode(header.removeprefix("Basic "), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _token(key: Path) -> str:
    now = int(time.time())
    claims = {"iss": "csat-test", "aud": AUDIENCE, "sub": CLIENT_ID, "scope": SCOPE, "iat": now}
    parts = [{"alg": "RS256", "typ": "JWT", "kid": "one"}, claims | {"exp": now + _TOKEN_SECONDS}]
    signed = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
    sign = ["openssl", "dgst", "-sha256", "-sign", str(key)]
    signature = subprocess.run(sign, input=signed.encode(), capture_output=True, timeout=30, check=True).stdout
    return f"{signed}.{_encoded(signature)}"


def _public_key(key: Path) -> dict[str, str]:
    ask = ["openssl", "rsa", "-in", str(key), "-noout", "-modulus"]
    text = subprocess.run(ask, capture_output=True, text=True, timeout=30, check=True).stdout
    modulus = bytes.fromhex(text.strip().removeprefix("Modulus="))
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one", "n": _encoded(modulus), "e": "AQAB"}


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
