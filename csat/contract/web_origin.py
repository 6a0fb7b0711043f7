"""Whether a browser sends a request for the server's own page: the rule of every server here that browsers can reach.

A page of any origin can make a browser send requests to 127.0.0.1, and a name that its owner points there makes that
page's origin the server's (DNS rebinding). The first shows in the header Origin, the second in Host.
"""

from collections.abc import Collection, Iterable
from urllib.parse import urlsplit


def refusal(headers: Iterable[tuple[bytes, bytes]], hosts: Collection[str]) -> str:
    """Why the request must be refused; empty where it may go on. `hosts` are the server's names, in lower case."""
    given = [(name.lower(), value.decode("latin-1").lower()) for name, value in headers]
    named = [value for name, value in given if name == b"host"]
    if len(named) != 1 or _without_port(named[0]) not in hosts:
        return f"This server is not called {', '.join(named)!r}"
    if any(urlsplit(value).netloc != named[0] for name, value in given if name == b"origin"):
        return "Pages of another origin may not ask this server"
    return ""


def _without_port(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name if port.isdigit() else host
