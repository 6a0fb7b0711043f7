"""ASGI middleware that answers the dashboard's own pages only: Streamlit lets any page of this machine in."""

from collections.abc import Collection
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocketClose

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
            await WebSocketClose(1008, reason)(scope, receive, send)  # before it is accepted: a 403
        else:
            answer = PlainTextResponse(f"{reason}: CSAT_DASHBOARD_HOSTS holds the names of this one.\n", 403)
            await answer(scope, receive, send)
