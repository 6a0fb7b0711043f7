"""An Airflow that is too old is named before anything of it is imported."""

import importlib
import runpy
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

import csat.airflow
from csat.contract.errors import CsatError
from csat.contract.settings import ROOT

DAGS = sorted((ROOT / "dags").glob("*.py"))
MESSAGE = (
    "csat needs Airflow 3.3 or newer and found {}, fix: install apache-airflow>=3.3,<3.4, or choose a Composer image "
    "that has it (composer_image_version in Terraform)"
)


@pytest.fixture
def forget() -> Iterator[None]:
    """The package is imported again in the test, and as before after it."""
    before = {name: module for name, module in sys.modules.items() if name.startswith("csat.airflow")}
    for name in before:
        del sys.modules[name]
    yield
    sys.modules.update(before)


def install(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: {"apache-airflow": version}[name])


@pytest.mark.usefixtures("forget")
@pytest.mark.parametrize("version", ["3.2.1", "3.1.7+composer", "2.11.0", "3.0rc1"])
def test_an_older_airflow_is_named_with_the_fix(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    install(monkeypatch, version)
    with pytest.raises(CsatError) as raised:
        importlib.import_module("csat.airflow")
    assert str(raised.value) == MESSAGE.format(version)


@pytest.mark.usefixtures("forget")
@pytest.mark.parametrize("version", ["3.3.0", "3.3.0b1", "3.10.0+composer", "4.0.0"])
def test_this_airflow_and_newer_ones_are_accepted(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    install(monkeypatch, version)
    assert importlib.import_module("csat.airflow").__doc__ == csat.airflow.__doc__


@pytest.mark.usefixtures("forget")
@pytest.mark.parametrize("path", DAGS, ids=lambda path: path.stem)
def test_every_dag_names_it_before_it_imports_from_airflow(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """No Airflow is installed in this environment: whatever imports it first fails otherwise."""
    install(monkeypatch, "3.1.7")
    with pytest.raises(CsatError) as raised:
        runpy.run_path(str(path))
    assert str(raised.value) == MESSAGE.format("3.1.7")
