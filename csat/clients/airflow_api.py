"""Client of Airflow's API: address, user, and the pools that the DAGs need. Imports and requests happen only when
needed, because the DAGs import the pools' names from here.
"""

import json
from pathlib import Path
from typing import Any

from csat.contract.errors import CsatError
from csat.contract.settings import Settings

USER = "admin"
_LOGIN_SECONDS, _RESPONSE_SECONDS = 10, 20
_MAX_REASON_CHARACTERS = 300

STREAM_POOL, MARTS_POOL, PIPELINE_POOL = "stream", "marts", "pipeline"
# Slots. The stream has its own pool, so a full queue of other work never delays its restart. Two, since a cleared task
# may overlap its successor. One build of the marts at a time: the next one waits here and not in a process. The rest
# shares three: more would only slow each other down on a machine with few cores.
POOLS = {STREAM_POOL: 2, MARTS_POOL: 1, PIPELINE_POOL: 3}
_POOL_MEANINGS = {
    STREAM_POOL: "The guard of the stream.",
    MARTS_POOL: "Builds of the marts, one at a time.",
    PIPELINE_POOL: "Everything that may wait for the stream.",
}


class AirflowError(CsatError):
    """A request to Airflow's API failed; the message says which."""


def passwords_file(settings: Settings) -> Path:
    """The file with the login of the local stack's Airflow."""
    return settings.state / "secrets" / "airflow_passwords.json"


def has_login(settings: Settings) -> bool:
    """Whether there is a login, so that more than Airflow's health can be requested."""
    return passwords_file(settings).exists()


def password(settings: Settings) -> str:
    """The user's password. Raises AirflowError where none was made yet."""
    path = passwords_file(settings)
    try:
        return str(json.loads(path.read_text())[USER])
    except (OSError, ValueError, KeyError) as error:
        raise AirflowError(f"no password of Airflow's in {path}", "csat up, or docker compose up") from error


def health(settings: Settings, timeout_seconds: float = 3) -> dict[str, Any]:
    """Airflow's health response: status and last heartbeat of each component. Needs no login. Raises AirflowError."""
    import requests

    try:
        response = requests.get(f"{settings.airflow}/api/v2/monitor/health", timeout=timeout_seconds)
        response.raise_for_status()
        return dict(response.json())
    except (requests.RequestException, ValueError) as error:
        raise AirflowError(f"Airflow does not respond at {settings.airflow}: {type(error).__name__}") from error


def call(settings: Settings, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """The response of Airflow's API (`path` below /api/v2). Raises AirflowError."""
    import requests

    base = settings.airflow
    try:
        login = {"username": USER, "password": password(settings)}
        token = requests.post(f"{base}/auth/token", json=login, timeout=_LOGIN_SECONDS).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        response = requests.request(
            method, f"{base}/api/v2/{path}", json=body, headers=headers, timeout=_RESPONSE_SECONDS
        )
        if not response.ok:
            reason = f"{response.status_code} {response.text[:_MAX_REASON_CHARACTERS]}"
            raise AirflowError(f"Airflow's API at {base} failed on {method} {path}: {reason}")
        return dict(response.json())
    except (requests.RequestException, OSError, KeyError, ValueError) as error:
        raise AirflowError(f"Airflow's API at {base} did not respond to {method} {path}: {error}") from error


def make_pools(settings: Settings) -> None:
    """Create the pools that the DAGs use where they are missing; existing ones stay unchanged."""
    known = {pool["name"] for pool in call(settings, "GET", "pools?limit=100")["pools"]}
    for name, slots in POOLS.items():
        if name not in known:
            pool = {"name": name, "slots": slots, "description": _POOL_MEANINGS[name], "include_deferred": False}
            call(settings, "POST", "pools", pool)
