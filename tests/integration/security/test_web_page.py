"""A web page attacks the emulator of its reader, as pages can: forms, fetch, and a name that becomes 127.0.0.1."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.http_server import serving
from tests.integration.dashboard.browser import launch
from tests.integration.security.conftest import Target

pytestmark = pytest.mark.integration

SQL = "create or replace table csat_scratch.attacked as select 1 as a"
QUERY = {"query": SQL, "useLegacySql": False}
JOB = {"configuration": {"query": QUERY}}
# A form that a page posts by itself, whatever the answer; the address of the page is another origin
FORM = """
([address, enctype, fields]) => {
    const form = document.createElement('form');
    Object.assign(form, {method: 'post', action: address, enctype});
    for (const [name, value] of fields) {
        const field = document.createElement('textarea');
        form.append(Object.assign(field, {name, value}));
    }
    document.body.append(form); form.submit();
}
"""
FETCH = """
async ([address, options]) => {
    try { const answer = await fetch(address, options); return [answer.status, await answer.text()] }
    catch (error) { return [0, String(error)] }
}
"""


class Attacker(BaseHTTPRequestHandler):
    """The attacker's own page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<body>a harmless page</body>")


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    with serving(Attacker) as port:
        yield f"http://localhost:{port}"


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    """A tab of a browser whose network calls this machine attacker.test."""
    with sync_playwright() as playwright:
        browser = launch(playwright, "--host-resolver-rules=MAP attacker.test 127.0.0.1")
        yield browser.new_page()
        browser.close()


@pytest.fixture
def untouched(target: Target) -> Iterator[None]:
    """Fails where anything ran or was written."""
    jobs, files = target.jobs(), target.files()
    yield
    assert target.files() == files
    assert target.jobs() == jobs
    assert "attacked" not in {table.table_id for table in target.warehouse.client.list_tables("csat_scratch")}


def addresses(target: Target) -> dict[str, str]:
    project = "/bigquery/v2/projects/csat-local"
    paths = {
        "queries": f"{project}/queries",
        "jobs": f"{project}/jobs",
        "multipart": f"/upload{project}/jobs?uploadType=multipart",
        "resumable": f"/upload{project}/jobs?uploadType=resumable",
    }
    return {name: f"{target.settings.endpoint}{path}" for name, path in paths.items()}


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("enctype", ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"])
def test_a_form_of_another_origin_runs_nothing(target: Target, tab: Page, page: str, enctype: str) -> None:
    for name, address in addresses(target).items():
        body = json.dumps(QUERY if name == "queries" else JOB)
        # Two parts are an upload; as text, name=value is JSON where the name is its begin and the value its end
        text = [[body[:-1] + ', "labels": {"a": "', '"}}']]
        tab.goto(page)
        with tab.expect_navigation() as answer:
            tab.evaluate(FORM, [address, enctype, [["job", body], ["data", "a"]] if "multipart" in enctype else text])
        assert (name, answer.value.status) == (name, 403)


@pytest.mark.usefixtures("untouched")
def test_fetch_of_another_origin_runs_nothing_and_reads_nothing(target: Target, tab: Page, page: str) -> None:
    body = json.dumps(JOB)
    tab.goto(page)
    for address in addresses(target).values():
        plain = {"method": "POST", "body": body, "mode": "no-cors", "headers": {"Content-Type": "text/plain"}}
        assert tab.evaluate(FETCH, [address, plain]) == [0, ""]  # opaque: the state says that nothing ran
        asking = {"method": "POST", "body": body, "headers": {"Content-Type": "application/json"}}
        assert tab.evaluate(FETCH, [address, asking])[0] == 0  # the browser asked first, and was refused


@pytest.mark.usefixtures("untouched")
def test_a_name_that_becomes_this_machine_runs_nothing_and_reads_nothing(target: Target, tab: Page) -> None:
    """DNS rebinding: the attacker's page is of the emulator's own origin, by the attacker's name."""
    origin = f"http://attacker.test:{target.settings.bigquery_port}"
    answer = tab.goto(f"{origin}/bigquery/v2/projects/csat-local/datasets")
    assert answer is not None
    assert answer.status == 403
    for address in addresses(target).values():
        path = address.removeprefix(target.settings.endpoint)
        status, text = tab.evaluate(FETCH, [f"{origin}{path}", {"method": "POST", "body": json.dumps(JOB)}])
        assert (status, "csat_" in text) == (403, False)
