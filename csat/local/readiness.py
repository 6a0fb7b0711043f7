"""Waits that poll: each ends when a service is ready, when its program has failed, or at its deadline."""

from collections.abc import Callable

import requests

from csat.bigquery import login as bigquery_login
from csat.contract.errors import CsatError
from csat.contract.polling import poll
from csat.contract.settings import Settings, SettingsError
from csat.local.logs import tail
from csat.local.programs import log_file
from csat.local.supervisord import Supervisord

_POLL_SECONDS = 0.3
_LINES = 15


def wait_until(
    settings: Settings,
    program: str,
    is_ready: Callable[[], bool],
    seconds: float,
    failed_states: tuple[str, ...] = ("FATAL", "STOPPED"),
) -> None:
    """Return when the program is ready. Raises CsatError when it has failed, and at the deadline."""
    supervisord = Supervisord(settings)

    def is_done() -> bool:
        if is_ready():
            return True
        state = supervisord.programs()[program]["statename"]
        if state in failed_states and not is_ready():  # it may have exited cleanly between the two checks
            raise _not_ready(settings, program, f"has stopped ({state})")
        return state in failed_states

    if not poll(is_done, seconds, _POLL_SECONDS):
        raise _not_ready(settings, program, f"is not ready after {seconds:g} s")


def bigquery_is_ready(settings: Settings, timeout_seconds: float = 5) -> bool:
    """Whether the emulator lists datasets; without its extensions it opens the port and returns status 400."""
    url = f"{settings.endpoint}/bigquery/v2/projects/{settings.project_id}/datasets"
    try:
        return (
            requests.get(url, headers=bigquery_login.headers(settings), timeout=timeout_seconds).status_code
            == requests.codes.ok
        )
    except (requests.RequestException, SettingsError):  # no token: it was never started
        return False


def _not_ready(settings: Settings, program: str, problem: str) -> CsatError:
    path = log_file(settings, program)
    lines = "\n".join(f"  {line}" for line in tail(path, _LINES))
    return CsatError(f"{program} {problem}", f"read {path}, which ends with:\n{lines}")
