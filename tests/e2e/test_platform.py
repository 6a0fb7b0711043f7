"""The guarantees of the whole platform, in the order of operation."""

import json
import os
import signal
import subprocess
import time

import pytest
from playwright.sync_api import expect, sync_playwright

from csat.contract.settings import environment
from csat.local.supervisord import Supervisord
from tests.airflow_builds import held_builds
from tests.e2e.conftest import CSAT, RUNS, Platform
from tests.integration.conftest import wait_for
from tests.integration.dashboard.browser import Viewer, launch

pytestmark = pytest.mark.e2e

EVENTS = 10_000
FAULTS = "all=0.02"


def test_airflow_runs_the_stream_when_the_stack_is_up(platform: Platform):
    def is_deferred() -> bool:
        tasks = platform.airflow("GET", "dags/run_stream/dagRuns/~/taskInstances")["task_instances"]
        return any(task["state"] == "deferred" for task in tasks)

    wait_for(is_deferred, 90, "deferred run_stream")
    status = wait_for(lambda: _healthy_status(platform), 120, "healthy status", pause=1)
    assert set(status["components"]) == {
        "kafka",
        "bigquery",
        "postgres",
        "airflow-api-server",
        "airflow-scheduler",
        "airflow-dag-processor",
        "airflow-triggerer",
        "stream",
        "dashboard",
    }
    assert status["components"]["kafka"]["url"] == f"127.0.0.1:{platform.settings.kafka_port}"


def _healthy_status(platform: Platform):
    done = platform.csat("status", "--json", expect=None)
    return json.loads(done.stdout) if done.returncode == 0 else None


@pytest.fixture(scope="module")
def simulated(platform: Platform):
    """The simulator's report: ten thousand events with every fault."""
    return platform.json("simulate", "--events", str(EVENTS), "--days", "5", "--seed", "7", "--faults", FAULTS)


def test_every_event_lands_and_every_fault_is_named(platform: Platform, simulated):
    assert len(simulated["faults"]) == 9
    have_landed = lambda: platform.json("status", expect=None)["landing"]["rows"] == simulated["sent"]  # noqa: E731
    wait_for(have_landed, 120, "landing", pause=1)
    status = platform.json("status", expect=None)
    assert status["landing"]["accepted"] == simulated["expected_accepted"]
    assert status["landing"]["rejected"] == simulated["expected_rejected"]
    reasons = platform.rows(
        "select rejection_reason, count(*) as n from `{raw}.survey_responses` "
        "where rejection_reason is not null group by rejection_reason"
    )
    assert {row["rejection_reason"]: row["n"] for row in reasons} == simulated["rejected_by_reason"]


def test_marts_hold_each_response_once_and_on_its_own_day(platform: Platform, simulated):
    def is_built() -> bool:
        marts = platform.rows("select count(*) as n from `{ops}.mart_builds` where status = 'succeeded'")
        if not marts[0]["n"]:
            return False
        [fct] = platform.rows("select count(*) as n from `{marts}.fct_survey_responses`")
        return bool(fct["n"] == simulated["expected_distinct_responses"])

    wait_for(is_built, 240, "marts by Airflow", pause=1)
    late = simulated["faults"]["late"]
    [row] = platform.rows(
        "select countif(response_date != date(survey_answered_at)) as elsewhere, count(distinct response_id) as n "
        "from `{marts}.fct_survey_responses`"
    )
    assert row == {"elsewhere": 0, "n": simulated["expected_distinct_responses"]}
    oldest_day = "(select date_sub(max(response_date), interval 5 day) from `{marts}.fct_survey_responses`)"
    [before] = platform.rows(
        f"select count(*) as n from `{{marts}}.fct_survey_responses` where response_date < {oldest_day}"
    )
    assert 0 < before["n"] <= late
    agents = platform.json("marts", "show", "agents", "--limit", "5000")
    assert sum(row["response_count"] for row in agents) == simulated["expected_distinct_responses"]
    runs = platform.airflow("GET", "dags/build_marts/dagRuns?state=success")["dag_runs"]
    assert runs


def test_dashboard_shows_what_landed_and_what_was_rejected(platform: Platform, simulated):
    with sync_playwright() as playwright:
        browser = launch(playwright)
        viewer = Viewer(browser.new_page(), platform.settings.dashboard)
        viewer.open("categories?window=all")
        expect(viewer.page.get_by_text(f"{simulated['expected_distinct_responses']:,} responses, CSAT")).to_be_visible()
        viewer.open("pipeline")
        rows = [row.inner_text().split("\t") for row in viewer.rows("Messages by outcome").all()]
        browser.close()
    shown = {row[0].splitlines()[0]: int(row[1].replace(",", "")) for row in rows if "rejected" in row[0].splitlines()}
    assert shown == simulated["rejected_by_reason"]
    assert (viewer.errors, viewer.foreign_requests) == ([], [])


@pytest.fixture
def live(platform: Platform):
    """Twenty events a second while the test runs."""
    command = [CSAT, "simulate", "--rate", "20", "--seed", "8"]
    process = subprocess.Popen(
        command,
        env=environment(**platform.settings.as_environment()),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield process
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130


def test_killed_driver_recovers_and_commits_automatically(platform: Platform, simulated, live):
    rows = lambda: platform.rows("select count(*) as n from `{raw}.survey_responses`")[0]["n"]  # noqa: E731
    wait_for(lambda: rows() > simulated["sent"], 60, "live rows")
    supervisor = Supervisord(platform.settings)
    pid = supervisor.programs()["stream"]["pid"]
    os.killpg(pid, signal.SIGKILL)
    killed_at = time.monotonic()
    time.sleep(1)  # a batch whose load job ran at the kill may still land
    landed = rows()
    # 45 s is the target on two dedicated cores; a shared machine gets twice that. Every poll costs the stack CPU
    wait_for(lambda: rows() > landed, 90, "rows after the kill", pause=2)
    print(f"back and committing after {time.monotonic() - killed_at:.1f} s")
    assert supervisor.programs()["stream"]["pid"] != pid
    [ended, *_] = platform.airflow("GET", f"{RUNS}?state=failed&order_by=-run_after")["dag_runs"]
    said, last_lines = platform.guard_log(ended["dag_run_id"]).split("The driver's last lines:")
    assert "The stream is dead or frozen (the process ended after its last heartbeat" in said
    assert "Landed " in last_lines
    opened = "select status from `{ops}.alerts` where alert_key = 'stream_run_failed' and status = 'opened'"
    wait_for(lambda: platform.rows(opened), 60, "alert of the killed driver", pause=2)


def test_incremental_marts_equal_a_full_refresh(platform: Platform):
    wait_for(lambda: platform.json("check", "completeness")["pending"] == 0, 60, "all rows landed", pause=1)
    models = ["fct_survey_responses", "agg_agent_daily", "agent_leaderboard", "category_ranking", "response_series"]
    with held_builds(platform.settings):
        built = platform.json("marts", "build")
        assert built["status"] in ("succeeded", "nothing new")
        incremental = {name: _fingerprint(platform, name) for name in models}
        assert platform.json("marts", "build", "--full-refresh")["is_full_refresh"]
        assert {name: _fingerprint(platform, name) for name in models} == incremental


def _fingerprint(platform: Platform, model: str) -> list[str]:
    rows = platform.rows(f"select to_json_string(t) as line from `{{marts}}.{model}` as t")
    assert rows
    return sorted(row["line"] for row in rows)


def test_nothing_is_lost_or_duplicated(platform: Platform):
    result = platform.json("check", "completeness")
    assert (result["lost"], result["duplicated"], result["pending"]) == (0, 0, 0)
    assert len(result["partitions"]) == 4
    assert sum(part["rows"] for part in result["partitions"]) == platform.json("status", expect=None)["landing"]["rows"]
