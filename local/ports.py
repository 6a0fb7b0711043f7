"""Free ports for a stack that stands beside others."""

import socket

from csat.settings import Settings


def free_ports() -> dict[str, int]:
    """A free port of 127.0.0.1 for every port setting, by the setting's name."""
    names = [name for name in Settings.model_fields if name.endswith("_port")]
    sockets = [socket.socket() for _ in names]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = {name: one.getsockname()[1] for name, one in zip(names, sockets, strict=True)}
    for one in sockets:
        one.close()
    return ports
