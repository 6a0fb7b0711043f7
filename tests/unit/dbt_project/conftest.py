"""dbt as a person calls it for Google Cloud: nothing but environment variables, a key file of nobody, no network."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from csat.settings import ROOT

CLOUD = {"CSAT_TARGET": "gcp", "CSAT_PROJECT_ID": "shop-1", "CSAT_DATASET_PREFIX": "cx", "CSAT_LOCATION": "EU"}


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service account's key as Google hands it out."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "shop-1",
        "private_key_id": "k1",
        "private_key": text.decode(),
        "client_email": "dbt@shop-1.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    file: Path = tmp_path_factory.mktemp("key") / "key.json"
    file.write_text(json.dumps(account))
    return file


@pytest.fixture(scope="session")
def compiled(key_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dbt's target folder after it compiled the views: other models ask BigQuery whether their table is there."""
    target: Path = tmp_path_factory.mktemp("dbt")
    words = ["compile", "--profiles-dir", ".", "--no-populate-cache", "--no-introspect", "--warn-error"]
    outcome = subprocess.run(
        [ROOT / ".venv" / "bin" / "dbt", *words, "--select", "config.materialized:view"],
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
