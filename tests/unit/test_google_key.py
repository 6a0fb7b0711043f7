"""A key at the original guide's path is found without a variable, by every client and by what they start."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from csat.bigquery.client import Warehouse, WarehouseError, open_client
from csat.contract.settings import GOOGLE_KEY, GOOGLE_KEY_VARIABLE, ROOT, environment, get_settings
from tests.google_key import EMAIL, write_key


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home folder, with the settings of Google Cloud and without a variable that names a key."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"HOME": str(tmp_path), "CSAT_TARGET": "gcp", "CSAT_PROJECT_ID": "shop-1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(GOOGLE_KEY_VARIABLE, "")  # as Compose hands on what is not set
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def named() -> str:
    """The key file that this process's children see."""
    get_settings()
    return environment()[GOOGLE_KEY_VARIABLE]


def log_in_with_gcloud(home: Path) -> None:
    """What `gcloud auth application-default login` leaves."""
    file = home / ".config/gcloud/application_default_credentials.json"
    file.parent.mkdir(parents=True)
    login = {"type": "authorized_user", "client_id": "1", "client_secret": "s", "refresh_token": "t"}
    file.write_text(json.dumps(login))


def test_path_is_the_original_guides() -> None:
    assert str(GOOGLE_KEY) == ".google/credentials/google_credentials_project.json"


def test_bigquery_acts_as_the_keys_account(home: Path) -> None:
    log_in_with_gcloud(home)
    write_key(home / GOOGLE_KEY)
    assert open_client(get_settings())._credentials.service_account_email == EMAIL


def test_cloud_storage_acts_as_the_keys_account(home: Path) -> None:
    import gcsfs

    write_key(home / GOOGLE_KEY)
    get_settings()
    gcsfs.GCSFileSystem.clear_instance_cache()
    assert gcsfs.GCSFileSystem(skip_instance_cache=True).credentials.credentials.service_account_email == EMAIL


def test_a_child_acts_as_the_keys_account(home: Path) -> None:
    write_key(home / GOOGLE_KEY)
    get_settings()
    code = "import google.auth; print(google.auth.default()[0].service_account_email)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == EMAIL


def test_the_variable_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_key(home / GOOGLE_KEY)
    monkeypatch.setenv(GOOGLE_KEY_VARIABLE, "/elsewhere/key.json")
    assert named() == "/elsewhere/key.json"


def test_without_the_file_the_login_of_gcloud_is_used(home: Path) -> None:
    log_in_with_gcloud(home)
    assert named() == ""
    assert type(open_client(get_settings())._credentials).__module__ == "google.oauth2.credentials"


def test_the_local_stack_needs_no_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_key(home / GOOGLE_KEY)
    monkeypatch.setenv("CSAT_TARGET", "local")
    assert named() == ""


def test_what_is_no_file_is_no_key(home: Path) -> None:
    (home / GOOGLE_KEY).parent.mkdir(parents=True)
    (home / GOOGLE_KEY).symlink_to("/dev/null")  # what Compose mounts on a machine of Google's
    assert named() == ""


def test_without_a_home_folder_there_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    assert named() == ""


def test_a_key_that_cannot_be_read_is_named_with_the_fix(home: Path) -> None:
    write_key(home / GOOGLE_KEY).write_text("{")
    with pytest.raises(WarehouseError, match=rf"{GOOGLE_KEY}.*fix: .*{GOOGLE_KEY_VARIABLE}"):
        _ = Warehouse(get_settings()).client


@pytest.mark.parametrize("file", ["terraform/variables.tf", "Makefile", "docker-compose.yaml"])
def test_what_cannot_ask_the_settings_names_the_same_path(file: str) -> None:
    assert str(GOOGLE_KEY) in (ROOT / file).read_text()
