"""ASGI middleware that answers the dashboard's own pages only: Streamlit lets any page of this machine in."""

from collections.abc import Collection
from typing import Any

from csat.contract import web_origin


class OwnPagesOnly:
    """Refuses requests by another name, and requests of another origin's page, WebSocket included."""

    def __init__(self, app: Any, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(name.lower() for name in hosts)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer 403, or let the request through."""
        kind = scope["type"]
        reason = web_origin.refusal(scope["headers"], self._hosts) if kind in ("http", "websocket") else ""
        if not reason:
            await self._app(scope, receive, send)
        elif kind == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": reason})  # before it is accepted: a 403
        else:
            body = f"{reason}: CSAT_DASHBOARD_HOSTS holds the names of this one.\n".encode()
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": body})
