"""Client of the stack's supervisord: its user, its process states, and a connection that never shows the login.

Airflow's guard and the local stack both use it; this is what they must agree on.
"""

import base64
import xmlrpc.client
from http.client import HTTPConnection
from typing import Any

USER = "csat"
ALIVE = {"STARTING", "RUNNING", "BACKOFF", "STOPPING"}
STARTED = ALIVE - {"STOPPING"}  # what can be stopped


class _Transport(xmlrpc.client.Transport):
    """HTTP with a timeout, and the login in a header: in the URL it would appear in xmlrpc's errors."""

    def __init__(self, password: str, timeout_seconds: float) -> None:
        login = base64.b64encode(f"{USER}:{password}".encode()).decode()
        super().__init__(headers=[("Authorization", f"Basic {login}")])
        self._timeout_seconds = timeout_seconds

    def make_connection(self, host: Any) -> HTTPConnection:
        connection = super().make_connection(host)
        connection.timeout = self._timeout_seconds
        return connection


def server(url: str, password: str, timeout_seconds: float) -> xmlrpc.client.ServerProxy:
    """A connection to supervisord at `url`; a context manager. It sends no request yet."""
    return xmlrpc.client.ServerProxy(url, _Transport(password, timeout_seconds))
