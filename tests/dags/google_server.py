"""Local servers of Google's APIs: the real clients talk to them with the real messages.

A method's behaviour is a function from its request to its response; it may raise RefusalError.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc

Response = Callable[[Any], Any]


class RefusalError(Exception):
    """The response is this error."""

    def __init__(self, code: grpc.StatusCode, text: str = "no") -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Method:
    """One method: the class of its requests, and its response."""

    request: Any
    response: Response


@contextmanager
def serve(services: Mapping[str, Mapping[str, Method]]) -> Iterator[grpc.Channel]:
    """A channel to a server with these services."""
    server = grpc.server(ThreadPoolExecutor(4))
    for service, methods in services.items():
        handlers = {name: _handler(method) for name, method in methods.items()}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        server.stop(0).wait()


def _handler(method: Method) -> grpc.RpcMethodHandler:
    def run(request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method.response(request)
        except RefusalError as refusal:
            context.abort(refusal.code, str(refusal))

    return grpc.unary_unary_rpc_method_handler(run, _reader(method.request), _bytes)


def _reader(kind: Any) -> Callable[[bytes], Any]:
    reader: Callable[[bytes], Any] = kind.deserialize if hasattr(kind, "deserialize") else kind.FromString
    return reader


def _bytes(message: Any) -> bytes:
    kind = type(message)
    return bytes(kind.serialize(message)) if hasattr(kind, "serialize") else bytes(message.SerializeToString())
