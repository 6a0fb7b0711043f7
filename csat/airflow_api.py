"""How to speak to Airflow's API: its address, its user, and what it must hold for the DAGs. Nothing is imported or
asked before it is needed: the DAGs read the pools' names from here.
"""

import json
from pathlib import Path
from typing import Any

from csat.settings import Settings

USER = "admin"
_LOGIN_SECONDS, _ANSWER_SECONDS = 10, 20
_SAID_CHARACTERS = 300

STREAM_POOL, PIPELINE_POOL = "stream", "pipeline"
# Slots. The stream's own pool: a full queue of other work never delays its restart. Two, since a cleared task may
# overlap its successor. The rest shares three: more would only slow each other on a machine of few cores.
POOLS = {STREAM_POOL: 2, PIPELINE_POOL: 3}
_POOL_MEANINGS = {STREAM_POOL: "The guard of the stream.", PIPELINE_POOL: "Everything that can wait for the stream."}


class AirflowError(Exception):
    """Airflow's API did not do what it was asked for; the message says what."""


def passwords_file(settings: Settings) -> Path:
    """Where the login of the local stack's Airflow is."""
    return settings.state / "secrets" / "airflow_passwords.json"


def has_login(settings: Settings) -> bool:
    """Whether the API can be asked more than its health."""
    return passwords_file(settings).exists()


def password(settings: Settings) -> str:
    """The user's password. Raises AirflowError where none was made yet."""
    path = passwords_file(settings)
    try:
        return str(json.loads(path.read_text())[USER])
    except (OSError, ValueError, KeyError) as error:
        raise AirflowError(f"no password of Airflow's in {path}, fix: csat up, or docker compose up") from error


def health(settings: Settings, timeout_seconds: float = 3) -> dict[str, Any]:
    """Status and last heartbeat of each component in Airflow's own words. Needs no login. Raises AirflowError."""
    import requests

    try:
        answer = requests.get(f"{settings.airflow}/api/v2/monitor/health", timeout=timeout_seconds)
        answer.raise_for_status()
        return dict(answer.json())
    except (requests.RequestException, ValueError) as error:
        raise AirflowError(f"Airflow does not answer at {settings.airflow}: {type(error).__name__}") from error


def call(settings: Settings, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer of Airflow's API (`path` below /api/v2) to its user. Raises AirflowError."""
    import requests

    base = settings.airflow
    try:
        login = {"username": USER, "password": password(settings)}
        token = requests.post(f"{base}/auth/token", json=login, timeout=_LOGIN_SECONDS).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.request(method, f"{base}/api/v2/{path}", json=body, headers=headers, timeout=_ANSWER_SECONDS)
        if not answer.ok:
            said = f"{answer.status_code} {answer.text[:_SAID_CHARACTERS]}"
            raise AirflowError(f"Airflow's API at {base} did not do {method} {path}: {said}")
        return dict(answer.json())
    except (requests.RequestException, OSError, KeyError, ValueError) as error:
        raise AirflowError(f"Airflow's API at {base} did not answer {method} {path}: {error}") from error


def make_pools(settings: Settings) -> None:
    """Create the pools that the DAGs name, where they are missing; those that are there stay as they are."""
    known = {pool["name"] for pool in call(settings, "GET", "pools?limit=100")["pools"]}
    for name, slots in POOLS.items():
        if name not in known:
            pool = {"name": name, "slots": slots, "description": _POOL_MEANINGS[name], "include_deferred": False}
            call(settings, "POST", "pools", pool)
