"""Reads or writes one object of an object store (gs://…, or any fsspec address) in one request, with a timeout."""

import base64
import hashlib
from typing import Any

from csat.contract.errors import CsatError
from csat.contract.google_errors import fix_of, text_of

_GCS = "gs://"
_SECONDS = 10  # the store's own client would retry for minutes


class StoreUnreachableError(CsatError, OSError):
    """The store did not respond, or refused; the message names the object and what to check."""


def open_store(uri: str) -> tuple[Any, str]:
    """The file system of an fsspec address, and the path in it.

    For gs:// it is gcsfs's plain class. The one that newer releases register asks the Storage Control API what kind a
    bucket is, before each request where it may not know that.
    """
    if uri.startswith(_GCS):
        from gcsfs.core import GCSFileSystem

        return GCSFileSystem(), uri.removeprefix(_GCS)
    from fsspec.core import url_to_fs

    found: tuple[Any, str] = url_to_fs(uri)
    return found


def read_object(uri: str) -> str:
    """The text of an object. Raises FileNotFoundError, StoreUnreachableError, UnicodeDecodeError."""
    return str(_request(uri, "cat_file").decode())


def write_object(uri: str, text: str) -> None:
    """Write an object, whole or not at all. Raises StoreUnreachableError."""
    _request(uri, "pipe_file", text.encode())


def md5_of(uri: str) -> str:
    """The MD5 of an object, in base64: as Cloud Storage reports it, computed where a store does not.

    Raises FileNotFoundError or StoreUnreachableError.
    """
    return str(_request(uri, "info").get("md5Hash") or md5(_request(uri, "cat_file")))


def md5(content: bytes) -> str:
    """The MD5 of a content, in base64: it finds what was changed or cut off, not who meant to."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def _request(uri: str, method: str, *arguments: bytes) -> Any:
    from fsspec.asyn import AsyncFileSystem

    try:
        store, path = open_store(uri)
        limit = {"timeout": _SECONDS} if isinstance(store, AsyncFileSystem) else {}
        return getattr(store, method)(path, *arguments, **limit)
    except FileNotFoundError:
        raise
    except Exception as error:  # each store raises its own types; none quotes the content
        raise unreachable(uri, error) from error


def unreachable(uri: str, error: Exception) -> StoreUnreachableError:
    """The error of a store that did not respond, or refused."""
    fix = fix_of(error) or "check the network, the address, and that this account may read and write there"
    return StoreUnreachableError(f"{uri} cannot be accessed ({type(error).__name__}: {text_of(error)})", fix)
