"""The addresses of the dashboard's server, which answers them without a warehouse."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from csat.contract.settings import Settings
from csat.dashboard.serve import document
from csat.local.ports import free_port
from tests.integration.dashboard.browser import Server

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard whose warehouse is unreachable."""
    state: Path = tmp_path_factory.mktemp("addresses")
    nowhere = "http://127.0.0.1:1"
    server = Server(Settings(state_dir=state, bigquery_endpoint=nowhere, dashboard_port=free_port(), _env_file=None))
    yield server.url
    server.stop()


@pytest.mark.parametrize("path", ["nothing", "agents/agent-0001", "over_time", "a b"])
def test_an_unknown_address_is_not_found(address: str, path: str) -> None:
    response = requests.get(f"{address}/{path}", timeout=10)
    assert response.status_code == 404
    assert "<title>Page not found · CSAT</title>" in response.text
    assert 'href="/agents"' in response.text
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(("path", "title"), [("", "Overview"), ("over-time", "Over time"), ("runbook", "Runbook")])
def test_a_page_has_its_title_before_its_script_runs(address: str, path: str, title: str) -> None:
    assert f"<title>{title} · CSAT</title>" in requests.get(f"{address}/{path}", timeout=10).text


def test_streamlits_own_paths_are_found(address: str) -> None:
    [script] = re.findall(r'src="\.?/?(static/js/[^"]+)"', document())
    for path in ("_stcore/health", script, "favicon.png"):
        assert requests.get(f"{address}/{path}", timeout=10).status_code == 200, path
