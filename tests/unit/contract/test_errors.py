"""Named errors: two fields, one line of text, one base class."""

import ast
import pickle
from pathlib import Path

import pytest

from csat.contract.errors import CsatError
from csat.contract.settings import ROOT, SettingsError, get_settings
from csat.control.object_store import StoreUnreachableError

# Never shown as such: two are caught in their own module, one is an HTTP response, one fails a task of Airflow.
OTHERS = {"_UndecodableError", "_NotJsonError", "Refusal", "StreamRunFailedError"}


def test_text_is_the_message_and_the_fix() -> None:
    error = CsatError("no jars in /a", "make setup")
    assert (str(error), error.message, error.fix) == ("no jars in /a, fix: make setup", "no jars in /a", "make setup")


def test_text_is_the_message_alone_without_a_fix() -> None:
    assert (str(CsatError("it is over")), CsatError("it is over").fix) == ("it is over", "")


def test_error_keeps_its_fields_in_another_process() -> None:
    copy = pickle.loads(pickle.dumps(CsatError("no jars in /a", "make setup")))  # noqa: S301  # made here
    assert (copy.message, copy.fix) == ("no jars in /a", "make setup")


def test_error_that_is_an_operating_system_error_too_has_the_same_text() -> None:
    error = StoreUnreachableError("gs://a cannot be accessed", "check the network")
    assert isinstance(error, OSError)
    assert str(error) == "gs://a cannot be accessed, fix: check the network"


def test_wrong_setting_is_an_error_with_a_fix_and_without_the_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CSAT_KAFKA_PORT", "often")
    get_settings.cache_clear()
    with pytest.raises(SettingsError) as raised:
        get_settings()
    get_settings.cache_clear()
    assert raised.value.message.startswith("CSAT_KAFKA_PORT: ")
    assert "often" not in raised.value.message
    assert raised.value.fix == "correct it in the environment or in .env"


def test_every_named_error_derives_from_the_one_base() -> None:
    paths = [path for part in ("csat", "producer", "spark") for path in (ROOT / part).rglob("*.py")]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]
    bases = {node.name: [ast.unparse(base) for base in node.bases] for node in nodes}
    errors = {name for name, parents in bases.items() if any(one.endswith(("Error", "Exception")) for one in parents)}
    assert "SettingsError" in errors
    assert {name for name in errors if not _derives(name, bases)} - OTHERS == {"CsatError"}


def _derives(name: str, bases: dict[str, list[str]]) -> bool:
    parents = bases.get(name, [])
    return "CsatError" in parents or any(_derives(parent, bases) for parent in parents)
