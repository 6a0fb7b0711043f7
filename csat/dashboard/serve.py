"""`python -m csat.dashboard.serve`: serves the dashboard at the address and port of the settings, until SIGTERM."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from csat.contract.settings import Settings, get_settings
from csat.dashboard import frame
from csat.dashboard.frame import Page
from csat.dashboard.not_found import NOT_FOUND
from csat.dashboard.own_pages import OwnPagesOnly
from csat.dashboard.views import PAGES

_APP = Path(__file__).parent / "app.py"
_INDEX = Path(st.__file__).parent / "static" / "index.html"
# Otherwise the page first requests its server below its own path, and the browser's console shows the failure.
_SERVER_ADDRESS = "<script>window.__streamlit = { BACKEND_BASE_URL: window.location.origin }</script>"
_SCRIPTS = "".join(
    f"<script>{(Path(__file__).parent / name).read_text(encoding='utf-8')}</script>"
    for name in ("history.js", "copy.js")
)
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


# What nobody serves: the names of Streamlit's files have a dot, its other paths begin with an underscore
class _PageName(StringConvertor):
    regex = "[^/._][^.]*"


register_url_convertor("page_name", _PageName())


def document(title: str = "CSAT") -> str:
    """The HTML of a page: Streamlit's own, with the address of its server and our scripts."""
    head, mark, rest = _INDEX.read_text(encoding="utf-8").partition("</title>")
    return f"{head}{mark}{_SERVER_ADDRESS}{_SCRIPTS}{rest}".replace(
        "<title>Streamlit</title>", f"<title>{title}</title>"
    )


def security_policy(html: str) -> str:
    """What the browser may load: from this server only, whatever a name from a message or a library requests.

    Vega compiles its expressions, hence unsafe-eval; Streamlit sets inline styles.
    """
    scripts = " ".join(f"'sha256-{_sha256(text)}'" for text in _INLINE_SCRIPT.findall(html))
    rules = {
        "default-src": "'self'",
        "script-src": f"'self' 'unsafe-eval' {scripts}",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "frame-ancestors": "'none'",
        "form-action": "'self'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def make_app(settings: Settings) -> st.App:
    """The server's application; each page has its own path."""
    headers = {
        "Content-Security-Policy": security_policy(document()),
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }

    def route(path: str, page: Page) -> Route:
        html = document(f"{page.title} · CSAT")

        def respond(request: Request) -> Response:
            frame.prefetch(page, request.query_params)
            return HTMLResponse(html, headers=headers)

        return Route(path, respond)

    def not_found(_: Request) -> Response:
        return HTMLResponse(NOT_FOUND, 404, headers)

    routes = [route("/", PAGES[0]), *(route(f"/{page.path}", page) for page in PAGES)]
    own = Middleware(OwnPagesOnly, hosts=hosts(settings))
    return st.App(_APP, routes=[*routes, Route("/{name:page_name}", not_found)], middleware=[own])


def hosts(settings: Settings) -> list[str]:
    """The names that browsers may reach the dashboard by; the first is the one to show."""
    return [name.strip() for name in settings.dashboard_hosts.split(",")]


def options(settings: Settings) -> dict[str, Any]:
    """Streamlit's options in addition to .streamlit/config.toml."""
    names = hosts(settings)
    return {
        "server.address": settings.dashboard_address,
        "server.port": settings.dashboard_port,
        "server.allowedHosts": names,
        "browser.serverAddress": names[0],
    }


def main() -> None:
    """Serve the dashboard."""
    settings = get_settings()
    make_app(settings).run(config=options(settings))


if __name__ == "__main__":
    main()
