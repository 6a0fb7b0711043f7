"""Who may call the emulator: a program that sends its token, and never a web page.

Any page can make a browser post to 127.0.0.1, and DNS rebinding lets the page read the responses. So each request must
name this server as its host, must not come from another origin, and must carry the token. Used by
csat.local.emulator.serve, in the emulator's own environment.
"""

import hmac
import json
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import grpc

from csat.contract import web_origin

HOSTS = ("127.0.0.1", "localhost")
_REASONS = {
    400: ("invalid", "INVALID_ARGUMENT"),
    401: ("authError", "UNAUTHENTICATED"),
    403: ("accessDenied", "PERMISSION_DENIED"),
}
_OWN_SITES = {b"none", b"same-origin"}

Headers = Collection[tuple[bytes, bytes]]


class Refusal(Exception):  # noqa: N818  # it is a response
    """The response to a rejected request: an HTTP status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Access:
    """The rules. Immutable."""

    def __init__(self, token: str, hosts: Collection[str]) -> None:
        self._authorization = f"Bearer {token}".encode()
        self._hosts = frozenset(name.lower() for name in hosts)

    def check_origin(self, headers: Headers) -> None:
        """Raise Refusal if a browser sends the request for a page of another site."""
        if reason := web_origin.refusal(headers, self._hosts):
            raise Refusal(403, f"{reason}; its names are {', '.join(sorted(self._hosts))}, and --allow-host adds one")
        if not {value for name, value in headers if name.lower() == b"sec-fetch-site"} <= _OWN_SITES:
            raise Refusal(403, "Pages of another site may not call this server")

    def check_token(self, authorization: Iterable[bytes]) -> None:
        """Raise Refusal unless the request carries the token exactly once."""
        sent = list(authorization)
        if len(sent) != 1 or not hmac.compare_digest(sent[0], self._authorization):
            raise Refusal(401, "The emulator requires its bearer token: <state folder>/secrets/bigquery_token holds it")


class HttpGuard:
    """ASGI middleware in front of every path of the REST API; `open_paths` need no token."""

    def __init__(self, app: Any, access: Access, open_paths: dict[str, Callable[[bytes], dict[str, Any]]]) -> None:
        self._app, self._access, self._open_paths = app, access, open_paths

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Respond with a refusal, or pass the request on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no others, and none is accepted
            return
        headers = list(scope["headers"])
        try:
            self._access.check_origin(headers)
            respond = self._open_paths.get(scope["path"]) if scope["method"] == "POST" else None
            if respond is not None:
                await _respond(send, 200, respond(await _body(receive)))
                return
            self._access.check_token(value for key, value in headers if key == b"authorization")
        except Refusal as refusal:
            await _respond(send, refusal.status, _error(refusal))
            return
        await self._app(scope, receive, send)


_MAX_BYTES = 16_384


async def _body(receive: Any) -> bytes:
    body, has_more = b"", True
    while has_more:
        message = await receive()
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
        if len(body) > _MAX_BYTES:
            raise Refusal(400, f"More than {_MAX_BYTES} bytes")
    return body


def _error(refusal: Refusal) -> dict[str, Any]:
    reason, status = _REASONS[refusal.status]
    error = {"reason": reason, "message": str(refusal), "domain": "global"}
    return {"error": {"code": refusal.status, "message": str(refusal), "errors": [error], "status": status}}


async def _respond(send: Any, status: int, document: dict[str, Any]) -> None:
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class GrpcGuard(grpc.ServerInterceptor):  # type: ignore[misc]  # it has no types here
    """The same for the Storage API, which no browser can call: the token is enough."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """The handler of a call, or one that refuses it."""
        try:
            self._access.check_token(
                _bytes(value) for key, value in details.invocation_metadata if key == "authorization"
            )
        except Refusal as refusal:
            return _refusing(continuation(details), str(refusal))
        return continuation(details)


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def _refusing(handler: Any, message: str) -> Any:
    """A refusing handler of the same kind: with another kind a client waits forever."""

    def refuse(_: Any, context: Any) -> None:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, message)

    if handler is None:
        return None
    makers = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    return makers[handler.request_streaming, handler.response_streaming](refuse)


def token_of(path: Path) -> str:
    """The token in a file. Raises OSError, and ValueError for an empty file: it would admit every client."""
    token = path.read_text().strip()
    if not token:
        raise ValueError(f"{path} is empty")
    return token


def let_in_by_token(access: Access, open_paths: dict[str, Callable[[bytes], dict[str, Any]]]) -> None:
    """Put the guards in front of the emulator's two servers."""
    from local_bigquery.app import app

    make_server = grpc.server

    def server(*args: Any, **options: Any) -> Any:
        return make_server(*args, **options | {"interceptors": [GrpcGuard(access), *options.get("interceptors", [])]})

    grpc.server = server
    app.add_middleware(HttpGuard, access=access, open_paths=open_paths)
