"""How to speak to the stack's supervisord: its user, its words, and a connection that keeps the login to itself.

Airflow's guard and the local stack both ask it; this is what they must agree on.
"""

import base64
import xmlrpc.client
from http.client import HTTPConnection
from typing import Any

USER = "csat"
ALIVE = {"STARTING", "RUNNING", "BACKOFF", "STOPPING"}
STARTED = ALIVE - {"STOPPING"}  # what can be asked to stop


class _Transport(xmlrpc.client.Transport):
    """HTTP with a time-out, and the login in a header: in the address it would be in xmlrpc's errors."""

    def __init__(self, password: str, timeout_seconds: float) -> None:
        login = base64.b64encode(f"{USER}:{password}".encode()).decode()
        super().__init__(headers=[("Authorization", f"Basic {login}")])
        self._timeout_seconds = timeout_seconds

    def make_connection(self, host: Any) -> HTTPConnection:
        connection = super().make_connection(host)
        connection.timeout = self._timeout_seconds
        return connection


def server(url: str, password: str, timeout_seconds: float) -> xmlrpc.client.ServerProxy:
    """A connection to supervisord at `url`; a context manager. Nothing is asked yet."""
    return xmlrpc.client.ServerProxy(url, _Transport(password, timeout_seconds))
