"""What the commands print, beside errors: versions, empty results, verdicts, suggestions, completion."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import typer.main

from csat.cli import verdicts
from csat.cli.app import app
from csat.cli.main import run
from csat.contract.settings import get_settings
from csat.control.state_files import StateFiles
from tests.unit.cli.conftest import Csat

COUNTS = {"lost": 0, "duplicated": 0, "pending": 21, "unverifiable": 0, "replaced": 0}


pytestmark = pytest.mark.usefixtures("own_machine")


@pytest.fixture
def warehouse(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, list[dict[str, Any]]], None]:
    """Makes the statement whose text holds a word return these rows; every other one returns none."""
    answers: dict[str, list[dict[str, Any]]] = {}

    def rows(self: object, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in next((found for word, found in answers.items() if word in sql), [])]

    monkeypatch.setattr("csat.bigquery.client.Warehouse.rows", rows)
    monkeypatch.setattr("csat.cli.servers.require_listening", lambda *_: None)
    return answers.__setitem__


@pytest.fixture
def marts(warehouse: Callable[[str, list[dict[str, Any]]], None]) -> None:
    """Marts of two days with two channels, two categories and one agent."""
    dates = {"first_date": date(2026, 11, 19), "last_date": date(2026, 11, 20)}
    warehouse("mart_builds", [{"built_at": datetime(2026, 11, 20, tzinfo=UTC)}])
    warehouse("first_date", [dates])
    warehouse("group by channel, category", [{"channel": "Inbound", "category": "Returns", "response_count": 1}])
    agent = {"agent_name": "Fatima Clark", "agent_id": "agent-0001"}
    numbers = dict.fromkeys(("leaderboard_rank", "rank_change", "tier", "response_count", "responses_missing"), 1)
    rates = dict.fromkeys(("csat_rate", "wilson_low", "wilson_high", "adjusted_csat_rate"), 0.5)
    period = {"window_start": date(2026, 11, 19), "window_end": date(2026, 11, 20), "is_ranked": True}
    warehouse("agent_leaderboard", [{**agent, **numbers, **rates, **period}])


def every_command() -> Iterator[list[str]]:
    waiting: list[tuple[list[str], Any]] = [([], typer.main.get_command(app))]
    while waiting:
        words, command = waiting.pop()
        yield words
        waiting += [([*words, name], one) for name, one in getattr(command, "commands", {}).items()]


def test_every_command_explains_itself_with_h(capsys: pytest.CaptureFixture[str]) -> None:
    commands = list(every_command())
    assert len(commands) > 35
    for words in commands:
        assert run([*words, "-h"]) == 0, words
        assert "Usage: " in capsys.readouterr().out


def test_the_version_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == "0.1.0\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["rejected", "count"], "no rejected messages\n"),
        (["rejected", "list"], "no rejected messages\n"),
        (["alerts", "list"], "no open alerts\n"),
    ],
)
@pytest.mark.usefixtures("marts")
def test_an_empty_result_is_a_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 0
    assert capsys.readouterr().out == sentence
    assert run([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.usefixtures("marts")
def test_a_period_without_responses_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["marts", "show", "categories", "--window", "7d"]) == 0
    assert capsys.readouterr().out == "no responses in the period 7d\n"
    assert run(["marts", "show", "series", "--since", "2026-11-19", "--channel", "Inbound"]) == 0
    assert capsys.readouterr().out == "no responses from 2026-11-19 to 2026-11-20\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["marts", "show", "series", "--channel", "inbond"], "no channel 'inbond', fix: did you mean 'Inbound'?"),
        (["marts", "show", "series", "--category", "xyz"], "no category 'xyz', fix: name one of Returns"),
        (
            ["marts", "show", "categories", "--category", "returns"],
            "no category 'returns', fix: did you mean 'Returns'?",
        ),
        (
            ["marts", "show", "agents", "--agent", "Fatma Clark"],
            "no agent 'Fatma Clark', fix: did you mean 'Fatima Clark'?",
        ),
        (
            ["marts", "build", "--select", "fct_survey_response"],
            "no model 'fct_survey_response', fix: did you mean 'fct_s",
        ),
        (
            ["marts", "rebuild", "--select", "+agent_leaderbord+"],
            "no model 'agent_leaderbord', fix: did you mean 'agent_l",
        ),
    ],
)
@pytest.mark.usefixtures("marts")
def test_an_unknown_name_is_an_error_that_suggests_a_known_one(
    words: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 1
    assert capsys.readouterr().err.startswith(f"error: {error}")


@pytest.mark.usefixtures("marts")
def test_an_agent_is_found_as_on_the_dashboard(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["marts", "show", "agents", "--agent", "clark fat"]) == 0
    assert "Fatima Clark" in capsys.readouterr().out


def test_a_log_of_a_similar_name_is_suggested(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "state" / "logs"
    folder.mkdir(parents=True)
    (folder / "kafka.log").touch()
    assert run(["logs", "kafak"]) == 1
    assert capsys.readouterr().err == "error: no log of 'kafak', fix: did you mean 'kafka'?\n"


@pytest.mark.parametrize("words", [["-n", "-3"], ["--since", "soon"], ["--since", "10"]])
def test_logs_refuses_numbers_that_mean_nothing(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["logs", *words]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "complete: 0 lost, 0 duplicated, 21 in flight"),
        ({"unverifiable": 3}, "complete: 0 lost, 0 duplicated, 21 in flight, 3 unverifiable"),
        ({"lost": 1_000}, "not complete: 1,000 lost, 0 duplicated, 21 in flight"),
        ({"duplicated": 2}, "not complete: 0 lost, 2 duplicated, 21 in flight"),
        ({"replaced": 2}, "not complete: 0 lost, 0 duplicated, 21 in flight, another log in 2 partitions"),
        ({"partitions": []}, "nothing to compare: Kafka has no such topic, and nothing has landed"),
    ],
)
def test_completeness_ends_in_a_sentence(changes: dict[str, Any], line: str) -> None:
    assert verdicts.completeness_verdict({"partitions": [{}], **COUNTS, **changes}) == line


def test_other_checks_end_in_a_sentence_too(capsys: pytest.CaptureFixture[str]) -> None:
    run(["status"])
    assert capsys.readouterr().out.splitlines()[-1].startswith("not healthy: kafka is down, bigquery is down, ")
    run(["doctor"])
    assert capsys.readouterr().out.splitlines()[-1].partition(":")[0] in ("ready", "not ready")
    run(["check", "health"])
    assert capsys.readouterr().out.splitlines()[-1].startswith("not healthy: ")
    assert verdicts.status_verdict({"components": {"kafka": {"state": "healthy"}}}, is_healthy=True) == (
        "healthy: all of 1 components"
    )
    agreed = {"status": "agreed", "differences": [], "tests": 42}
    assert verdicts.reconcile_verdict(agreed) == "agreed: 0 differences, 42 tests passed"
    assert verdicts.reconcile_verdict({**agreed, "status": "nothing built", "tests": 0}).startswith("nothing built: ")


def test_a_dry_run_of_the_health_check_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "health", "--dry-run", "--json"]) == 1
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert (document["is_healthy"], document["open_alerts"]) == (False, [])
    assert "stream_down" in {check["alert"] for check in document["checks"]}
    assert captured.err == ""
    assert not (tmp_path / "state").exists()


def test_alerts_are_listed_raised_and_resolved(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert run(["alerts", "raise", "poison_batch", "batch 7 failed", "--about", "x"]) == 0
    assert "critical: poison_batch (x): batch 7 failed" in caplog.text
    assert run(["alerts", "list", "--json"]) == 0
    [alert] = json.loads(capsys.readouterr().out)
    assert (alert["key"], alert["about"], alert["severity"]) == ("poison_batch", "x", "critical")
    assert run(["alerts", "list"]) == 0
    assert "batch 7 failed" in capsys.readouterr().out
    assert run(["alerts", "resolve", "poison_batch", "--about", "y"]) == 0
    assert "poison_batch (y) is not open" in capsys.readouterr().err
    assert run(["alerts", "resolve", "poison_batch", "--about", "x"]) == 0
    assert StateFiles(get_settings().state_files).alert_state().open_alerts == ()


def test_a_rejected_message_is_a_list_of_fields_and_its_raw_content(
    warehouse: Callable[[str, list[dict[str, Any]]], None], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    content = b'{"a": "' + b"x" * 300 + b'\xff\x1b[2J"}'
    found = {"kafka_topic": "messages", "kafka_offset": 7, "rejection_reason": "not UTF-8\x1b[2J", "payload": content}
    warehouse("payload", [found])
    assert run(["rejected", "show", "0", "7", "--payload"]) == 0
    lines = capfdbinary.readouterr().out.split(b"\n")
    assert lines[:4] == [
        b"kafka topic       messages",
        b"kafka offset      7",
        rb"rejection reason  not UTF-8\x1b[2J",
        b"payload bytes     %d" % len(content),
    ]
    assert lines[5] == content
    assert run(["rejected", "show", "0", "7"]) == 0
    assert b"xxx" not in capfdbinary.readouterr().out


@pytest.mark.usefixtures("warehouse")
def test_a_message_that_was_not_rejected_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rejected", "show", "3", "5"]) == 1
    assert capsys.readouterr().err == "no rejected message at partition 3, offset 5\n"


def completed(csat: Csat, *words: str) -> list[str]:
    """What bash would offer for the last word."""
    line = " ".join(["csat", *words])
    done = csat(_CSAT_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words)))
    return done.stdout.split()


def test_a_shell_completes_names(csat: Csat, variables: dict[str, str]) -> None:
    folder = Path(variables["CSAT_STATE_DIR"]) / "logs"
    folder.mkdir(parents=True)
    for name in ("kafka", "stream"):
        (folder / f"{name}.log").touch()
    assert completed(csat, "logs", "k") == ["kafka"]
    assert completed(csat, "alerts", "resolve", "stream_s") == ["stream_slow", "stream_stopped"]
    assert completed(csat, "marts", "build", "--select", "fct") == ["fct_survey_responses"]
    assert completed(csat, "open", "d") == ["dashboard"]


def test_open_shows_the_page_in_the_browser_or_prints_its_address(
    csat: Csat, variables: dict[str, str], tmp_path: Path
) -> None:
    import socket

    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    with socket.create_server(("127.0.0.1", int(variables["CSAT_DASHBOARD_PORT"]))):
        address = f"http://127.0.0.1:{variables['CSAT_DASHBOARD_PORT']}"
        done = csat("open", "dashboard", BROWSER=str(browser))
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{address}\n", "")
        assert opened.read_text() == f"{address}\n"
        done = csat("open", "dashboard", BROWSER="", DISPLAY="", WAYLAND_DISPLAY="", PATH=os.devnull)
        assert (done.returncode, done.stdout) == (0, f"{address}\n")
        assert "no browser" in done.stderr


def test_open_names_the_setting_of_a_page_whose_address_is_not_known(csat: Csat) -> None:
    done = csat("open", "airflow", CSAT_TARGET="gcp", CSAT_PROJECT_ID="p", CSAT_AIRFLOW_URL="")
    assert (done.returncode, done.stdout) == (1, "")
    assert "the address of airflow is not known, fix: set CSAT_AIRFLOW_URL" in done.stderr
