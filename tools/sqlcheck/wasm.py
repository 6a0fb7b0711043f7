"""Google's GoogleSQL analyser, compiled to WebAssembly: a service with protobuf requests and responses."""

import ctypes
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, TypeVar

import tzdata
from wasmtime import Config, Engine, Linker, Module, Store, WasiConfig
from zetasql.wasi import get_wasm_path

# Compiling takes half a minute, reading the compiled module a tenth of a second. The environment can be recreated.
CACHE = Path(sys.prefix) / "cache"


class Message(Protocol):
    """A protobuf message."""

    def SerializeToString(self) -> bytes:  # noqa: N802  # protobuf's name
        """The message as bytes."""
        ...

    @classmethod
    def FromString(cls, data: bytes) -> Any:  # noqa: N802  # protobuf's name
        """The message from these bytes."""
        ...


Response = TypeVar("Response", bound=Message)


class SqlError(Exception):
    """The analyser rejects the SQL; the message is its own."""


class Service:
    """The analyser, started."""

    def __init__(self) -> None:
        config = Config()
        config.shared_memory = True
        engine = Engine(config)
        self._store = Store(engine)
        self._store.set_wasi(_system())
        linker = Linker(engine)
        linker.define_wasi()
        self._exports = linker.instantiate(self._store, _module(engine)).exports(self._store)
        self._memory = self._exports["memory"]
        if "_initialize" in self._exports:
            self._exports["_initialize"](self._store)

    def call(self, method: str, request: Message, response: type[Response]) -> Response:
        """The response of the service. Raises SqlError where it rejects the SQL."""
        data = request.SerializeToString()
        address, size_address = self._export("wasm_malloc", max(len(data), 1)), self._export("wasm_malloc", 4)
        try:
            ctypes.memmove(self._base() + address, data, len(data))
            answer = self._export(f"ZetaSqlLocalService_{method}", address, len(data), size_address)
            if not answer:
                raise SqlError(self._last_error())
            size = int.from_bytes(self._read(size_address, 4), "little")
            message: Response = response.FromString(self._read(answer, size))
            self._export("wasm_free", answer)
            return message
        finally:
            self._export("wasm_free", address)
            self._export("wasm_free", size_address)

    def _export(self, name: str, *arguments: int) -> int:
        return int(self._exports[name](self._store, *arguments) or 0)

    def _last_error(self) -> str:
        size = self._export("wasm_get_last_error_size")
        text = self._read(self._export("wasm_get_last_error"), size).decode("utf-8", "replace")
        return text.removeprefix("Code: 3, Message: ")  # invalid argument: the SQL

    def _base(self) -> int:
        return ctypes.addressof(self._memory.data_ptr().contents)

    def _read(self, address: int, size: int) -> bytes:
        return ctypes.string_at(self._base() + address, size)


def _system() -> Any:
    wasi = WasiConfig()
    wasi.inherit_stderr()
    wasi.preopen_dir(str(Path(tzdata.__file__).with_name("zoneinfo")), "/usr/share/zoneinfo")
    return wasi


def _module(engine: Any) -> Any:
    compiled = CACHE / f"zetasql-{version('zetasql')}-wasmtime-{version('wasmtime')}.cwasm"
    if compiled.exists():
        return Module.deserialize_file(engine, str(compiled))
    module = Module.from_file(engine, str(get_wasm_path()))
    CACHE.mkdir(exist_ok=True)
    draft = compiled.with_suffix(f".{os.getpid()}.draft")  # lint and a test may both compile it
    draft.write_bytes(module.serialize())
    draft.replace(compiled)
    return module
