"""Free ports of 127.0.0.1: whether a port is free, and a free port for each setting of a second stack."""

import errno
import os
import socket
from collections.abc import Iterator
from functools import cache
from typing import Any

from csat.contract.settings import Settings

# Below Linux's range for outgoing connections, which could take a port between choice and use.
_FIRST, _LAST, _BLOCK = 12_000, 32_000, 100


def free_ports() -> dict[str, Any]:
    """A free port of 127.0.0.1 for every port setting, by the setting's name; no two calls name the same."""
    names = [name for name in Settings.model_fields if name.endswith("_port")]
    return {name: free_port() for name in names}


def free_port() -> int:
    """A free port of 127.0.0.1; no other call returns it, in this process or in another that still runs."""
    return next(_ports(os.getpid()))


@cache
def _ports(_process: int) -> Iterator[int]:
    return (port for port in _reserved() if is_free(port))


def _reserved() -> Iterator[int]:
    """Ports of blocks that belong to this process until it exits."""
    held = []
    for first in range(_FIRST, _LAST, _BLOCK):
        block = socket.socket(socket.AF_UNIX)
        try:
            block.bind(f"\0csat-ports-{first}")  # a name without a file: it disappears with the process
        except OSError as error:
            block.close()
            if error.errno != errno.EADDRINUSE:
                raise
            continue
        held.append(block)
        yield from range(first, first + _BLOCK)
    raise RuntimeError(f"every port from {_FIRST} to {_LAST} is in use")


def is_free(port: int) -> bool:
    """Whether nothing listens at a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
