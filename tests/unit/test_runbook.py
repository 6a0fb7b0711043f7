"""The runbook has what an alert needs, and names nothing that is not there."""

import re

import pytest
from typer.main import get_command

from csat.alerts import ALERTS, AlertKey
from csat.cli import app
from csat.settings import ROOT, Settings

TEXT = (ROOT / "docs" / "runbook.md").read_text()
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
CODE = re.findall(r"`([^`\n]+)`", TEXT) + re.findall(r"^(csat .*|make .*)$", TEXT, re.MULTILINE)


def test_every_alert_has_a_section_and_every_section_an_alert() -> None:
    assert list(SECTIONS) == [key.value for key in AlertKey]


@pytest.mark.parametrize("key", AlertKey)
def test_a_section_tells_sign_cause_and_command(key: AlertKey) -> None:
    heads = re.findall(r"^\*\*(\w+)\.\*\* \S", SECTIONS[key], re.MULTILINE)
    assert heads == ["Sign", "Cause", "Command"]
    assert ALERTS[key].meaning


def test_every_command_of_csat_exists() -> None:
    calls = [words.partition("#")[0].split()[1:] for words in CODE if words.startswith("csat ")]
    assert len(calls) > 20
    unknown = [call for call in calls if not _exists(call)]
    assert unknown == []


def _exists(call: list[str]) -> bool:
    command = get_command(app)
    words = list(call)
    while hasattr(command, "commands"):
        if not words or words[0] not in command.commands:
            return False
        command = command.commands[words.pop(0)]
    options = {name for parameter in command.params for name in parameter.opts}
    return all(word in options for word in words if word.startswith("--"))


def test_every_make_target_exists() -> None:
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [words for words in CODE if words.startswith("make ") and words.split()[1] not in targets] == []


def test_every_setting_exists() -> None:
    known = {f"CSAT_{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(r"CSAT_[A-Z_]+", TEXT))
    assert len(named) > 5
    assert named <= known


def test_every_alert_that_a_section_refers_to_exists() -> None:
    words = {word for word in re.findall(r"`([a-z]+_[a-z_]+)`", TEXT) if word not in DAGS | TASKS}
    assert words <= {key.value for key in AlertKey}


DAGS = {path.stem for path in (ROOT / "dags").glob("*.py")}
TASKS = {"guard_stream"}


def test_every_log_exists() -> None:
    from local.programs import COMPONENTS

    logs = {words.split()[2] for words in CODE if words.startswith("csat logs ")}
    assert logs <= set(COMPONENTS)
