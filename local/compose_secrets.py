"""Makes the secrets of docker-compose.yaml: `python -m local.compose_secrets`, which is `make compose-secrets`.

They are the local stack's own passwords and keys, in files that only their owner reads. What is there stays as it is.
"""

import os
import sys
from pathlib import Path

from csat.settings import ROOT, Settings
from local import airflow
from local.secret_files import secret, write_private

FOLDER = ROOT / ".csat-compose"
_ROOTS_STAND_IN = 10001  # the containers never run as root


def make(folder: Path = FOLDER, env_file: Path = ROOT / ".env") -> list[Path]:
    """The files of all secrets, made where they are missing; `.env` tells compose whose they are.

    The containers run as the user that owns the files: others could not read them.
    """
    settings = Settings(
        _env_file=None, target="local", state_dir=folder, airflow_database_url="postgresql://airflow@postgres/airflow"
    )
    secret(settings.state, "supervisord")
    airflow.variables(settings)
    files = sorted((settings.state / "secrets").iterdir())
    owner = os.getuid() or _ROOTS_STAND_IN
    if owner != os.getuid():
        for path in files:
            os.chown(path, owner, owner)
    _name_owner(env_file, owner)
    return files


def _name_owner(env_file: Path, owner: int) -> None:
    lines = env_file.read_text().splitlines() if env_file.exists() else []
    if f"CONTAINER_UID={owner}" in lines:
        return
    kept = [line for line in lines if not line.startswith("CONTAINER_UID=")]
    write_private(env_file, "\n".join([*kept, f"CONTAINER_UID={owner}"]) + "\n")


def main() -> None:
    """Make what is missing and say where it is."""
    for path in make():
        print(path, file=sys.stderr)


if __name__ == "__main__":
    main()
