"""dbt as a person runs it for Google Cloud: only environment variables, a generated key file, no network."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from csat.contract.settings import ROOT
from tests.google_key import write_key

CLOUD = {"CSAT_TARGET": "gcp", "CSAT_PROJECT_ID": "shop-1", "CSAT_DATASET_PREFIX": "cx", "CSAT_LOCATION": "EU"}


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key file of a service account, in Google's format."""
    return write_key(tmp_path_factory.mktemp("key") / "key.json")


@pytest.fixture(scope="session")
def compiled(key_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dbt's target folder after it compiled the views: other models query BigQuery for their table."""
    target: Path = tmp_path_factory.mktemp("dbt")
    arguments = ["compile", "--profiles-dir", ".", "--no-populate-cache", "--no-introspect", "--warn-error"]
    outcome = subprocess.run(
        [ROOT / ".venv" / "bin" / "dbt", *arguments, "--select", "config.materialized:view"],
        cwd=ROOT / "dbt",
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(target),
            "DBT_TARGET_PATH": str(target),
            "DBT_LOG_PATH": str(target / "logs"),
            "GOOGLE_APPLICATION_CREDENTIALS": str(key_file),
            **CLOUD,
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout
    return target


@pytest.fixture(scope="session")
def manifest(compiled: Path) -> dict[str, Any]:
    """The parsed project."""
    content: dict[str, Any] = json.loads((compiled / "manifest.json").read_text())
    return content
