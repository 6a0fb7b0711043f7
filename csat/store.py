"""One object of an object store (gs://…, or any address that fsspec knows), read or written by one request, in time."""

from typing import Any

_SECONDS = 10  # a store's own client would try for minutes


class StoreUnreachableError(OSError):
    """The store did not answer, or refused; the message names the object and what to check."""


def read_object(uri: str) -> str:
    """The text of an object. Raises FileNotFoundError or StoreUnreachableError."""
    return str(_ask(uri, "cat_file").decode())


def write_object(uri: str, text: str) -> None:
    """Write an object, whole or not at all. Raises StoreUnreachableError."""
    _ask(uri, "pipe_file", text.encode())


def _ask(uri: str, method: str, *arguments: bytes) -> Any:
    from fsspec.asyn import AsyncFileSystem
    from fsspec.core import url_to_fs

    try:
        store, path = url_to_fs(uri)
        limit = {"timeout": _SECONDS} if isinstance(store, AsyncFileSystem) else {}
        return getattr(store, method)(path, *arguments, **limit)
    except FileNotFoundError:
        raise
    except Exception as error:  # every store has its own; none of them says what the object holds
        raise StoreUnreachableError(
            f"{uri} cannot be asked ({type(error).__name__}: {error}): check the network, the address, and that this "
            "account may read and write there"
        ) from error
