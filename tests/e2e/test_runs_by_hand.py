"""What a user does in Airflow's web UI: sign in, see the stream, read its docs, trigger the manual DAGs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from csat.clients.airflow_api import USER, passwords_file
from tests.e2e.conftest import Platform
from tests.integration.conftest import wait_for
from tests.integration.dashboard.browser import launch

pytestmark = pytest.mark.e2e

_PAGE_SECONDS, _RUN_SECONDS = 30, 120


@pytest.fixture
def page(platform: Platform, tmp_path: Path) -> Iterator[Page]:
    """A browser at Airflow's address; a picture of the page is left in the test's folder."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        opened = browser.new_page(base_url=platform.settings.airflow, viewport={"width": 1400, "height": 1000})
        opened.set_default_timeout(_PAGE_SECONDS * 1000)
        expect.set_options(timeout=_PAGE_SECONDS * 1000)
        yield opened
        opened.screenshot(path=tmp_path / "page.png")
        browser.close()


def sign_in(page: Page, platform: Platform) -> None:
    """Sign in with the password that the first start generated."""
    page.goto("/")
    page.locator("input[name=username]").fill(USER)
    page.locator("input[name=password]").fill(json.loads(passwords_file(platform.settings).read_text())[USER])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_test_id("nav-dags-link")).to_be_visible()


def newest_run(platform: Platform, dag_id: str) -> dict[str, Any]:
    runs = platform.airflow("GET", f"dags/{dag_id}/dagRuns?order_by=-run_after&limit=1")["dag_runs"]
    return dict(runs[0]) if runs else {"dag_run_id": ""}


def deferred_run(platform: Platform) -> str:
    """The run that watches the stream; empty if there is none."""
    path = "dags/run_stream/dagRuns/~/taskInstances?state=deferred"
    return next((task["dag_run_id"] for task in platform.airflow("GET", path)["task_instances"]), "")


def trigger(page: Page, dag_id: str, params: dict[str, str]) -> None:
    """Fill in the trigger form and send it."""
    page.goto(f"/dags/{dag_id}")
    page.get_by_test_id("trigger-dag-button").click()
    for name, value in params.items():
        field = page.locator(f"[name=element_{name}]")
        field.fill(value)
        field.blur()
    page.get_by_test_id("trigger-dag-submit").click()
    expect(page.get_by_text("Dag run has been successfully triggered").first).to_be_visible()


def test_user_sees_the_stream_reads_its_docs_and_triggers_the_manual_dags(platform: Platform, page: Page) -> None:
    sign_in(page, platform)
    run_id = wait_for(lambda: deferred_run(platform), 120, "deferred run_stream", pause=1)
    page.goto(f"/dags/run_stream/runs/{run_id}/")
    expect(page.get_by_test_id("main-content").get_by_text("Deferred").first).to_be_visible()
    page.goto("/dags/run_stream")
    page.get_by_role("button", name="Dag Docs").click()
    docs = page.get_by_role("dialog")
    expect(docs).to_contain_text("run_stream: runs the stream from Kafka to BigQuery")
    expect(docs).to_contain_text("What to do when runs keep turning red")

    forms: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
        "replay_rejected": (
            {"reason": "empty message", "limit": "5"},
            {"reason": "empty message", "since": None, "limit": 5},
        ),
        "backfill_history": ({"days": "2", "events": "40"}, {"days": 2, "events": 40, "seed": 1}),
    }
    for dag_id, (filled, expected) in forms.items():
        before = newest_run(platform, dag_id)["dag_run_id"]
        trigger(page, dag_id, filled)
        run = newest_run(platform, dag_id)
        assert run["dag_run_id"] != before
        assert run["conf"] == expected
        page.goto(f"/dags/{dag_id}/runs/{run['dag_run_id']}/")
        expect(page.get_by_test_id("state-badge").first).to_have_text("Success", timeout=_RUN_SECONDS * 1000)


FORMS: dict[str, dict[str, Any]] = {
    "accept_loss": {"reason": "down for longer than the retention"},
    "backfill_history": {"days": 7, "events": 2771, "seed": 1},
    "erase_customer": {"id_of": "case", "id_hash": "0" * 64, "reason": "the customer asked for it"},
    "maintain": {"airflow_days": 30, "staging_days": 7, "job_hours": 6, "job_limit": 20000, "dbt_days": 14}
    | {"scratch_hours": 24},
    "rebuild_marts": {"selection": None, "from": None, "to": None},
    "replay_rejected": {"reason": "unsupported schema_version", "since": None, "limit": 10000},
}


def test_every_form_can_be_sent_with_its_defaults(platform: Platform, page: Page) -> None:
    sign_in(page, platform)
    for dag_id, expected in FORMS.items():
        before = newest_run(platform, dag_id)["dag_run_id"]
        trigger(page, dag_id, {})
        run = newest_run(platform, dag_id)
        assert run["dag_run_id"] != before
        assert run["conf"] == expected, dag_id
        platform.airflow("PATCH", f"dags/{dag_id}/dagRuns/{quote(run['dag_run_id'])}", {"state": "success"})  # enough
