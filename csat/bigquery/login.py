"""The login to the BigQuery emulator: one bearer token in the secrets folder, which every client sends.

For programs that take no token from a file, such as dbt called by hand, the emulator writes a key beside it, which
Google's libraries exchange for the token.
"""

from pathlib import Path

from csat.contract.settings import Settings, SettingsError

TOKEN_NAME = "bigquery_token"  # noqa: S105  # the name of the file, not what is in it


def token_file(settings: Settings) -> Path:
    """The file that holds the token; `csat up` makes it."""
    return settings.state / "secrets" / TOKEN_NAME


def key_file(settings: Settings) -> Path:
    """The service account's key that a running emulator of the local stack has written."""
    return settings.state / "secrets" / "bigquery_key.json"


def token(settings: Settings) -> str:
    """The token. Raises SettingsError where the file is missing or another user's."""
    path = token_file(settings)
    try:
        return path.read_text().strip()
    except OSError as error:
        raise SettingsError(
            f"The emulator's token {path} cannot be read ({error.strerror}): start the stack with `csat up`, or set "
            "CSAT_STATE_DIR to the state folder of the stack that runs."
        ) from error


def headers(settings: Settings) -> dict[str, str]:
    """The HTTP headers of a request to the emulator. Raises SettingsError."""
    return {"Authorization": f"Bearer {token(settings)}"}
