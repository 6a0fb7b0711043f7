"""The runbook has what an alert needs. Its commands and settings are checked with those of all documents."""

import re

import pytest

from csat.contract.alerts import ALERTS, AlertKey
from csat.contract.settings import ROOT

TEXT = (ROOT / "docs" / "runbook.md").read_text()
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
CODE = re.findall(r"`([^`\n]+)`", TEXT) + re.findall(r"^(csat .*|make .*)$", TEXT, re.MULTILINE)


def test_every_alert_has_a_section_and_every_section_an_alert() -> None:
    assert list(SECTIONS) == [key.value for key in AlertKey]


@pytest.mark.parametrize("key", AlertKey)
def test_a_section_has_symptom_cause_and_fix(key: AlertKey) -> None:
    heads = re.findall(r"^\*\*(\w+)\.\*\* \S", SECTIONS[key], re.MULTILINE)
    assert heads == ["Symptom", "Cause", "Fix"]
    assert ALERTS[key].meaning


def test_every_alert_that_a_section_refers_to_exists() -> None:
    words = {word for word in re.findall(r"`([a-z]+_[a-z_]+)`", TEXT) if word not in DAGS | TASKS}
    assert words <= {key.value for key in AlertKey}


DAGS = {path.stem for path in (ROOT / "dags").glob("*.py")}
TASKS = {"guard_stream"}


def test_every_log_exists() -> None:
    from csat.local.programs import COMPONENTS

    logs = {words.split()[2] for words in CODE if words.startswith("csat logs ") and " -" not in words}
    assert logs <= set(COMPONENTS)
