"""Calls of Google's APIs: a time-out, one try (the next look is the next), and errors that name the fix."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from csat.settings import GOOGLE_LOGIN_FIX
from guard.backends import BackendError

QUOTA = "ask for more in the console under IAM & Admin, Quotas, or ask for less: CSAT_DATAPROC_EXECUTORS"


@contextmanager
def errors(what: str, needs: str, timeout_seconds: float) -> Iterator[dict[str, Any]]:
    """Turn the errors of a client into BackendError; gives the arguments of every call of its methods.

    `what` is said first; `needs` names the roles that the account must have.
    """
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    try:
        yield {"timeout": timeout_seconds, "retry": None}
    except (GoogleAPIError, GoogleAuthError) as error:
        raise BackendError(f"{what}: {_text(error)}; fix: {_fix(error, needs, timeout_seconds)}") from error


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {getattr(error, 'message', None) or error}"


def _fix(error: Exception, needs: str, timeout_seconds: float) -> str:
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError

    fixes: list[tuple[tuple[type[Exception], ...], str]] = [
        (
            (GoogleAuthError, exceptions.Unauthorized),
            GOOGLE_LOGIN_FIX,
        ),
        ((exceptions.Forbidden,), f"this account needs {needs}: make cloud-apply grants it"),
        ((exceptions.TooManyRequests,), QUOTA),
        ((exceptions.NotFound,), "check CSAT_PROJECT_ID and CSAT_REGION, and run make cloud-apply"),
        (
            (exceptions.BadRequest,),
            "check CSAT_SUBNETWORK, CSAT_STREAM_SERVICE_ACCOUNT and CSAT_CODE_URI: make cloud-env writes them",
        ),
        (
            (exceptions.GatewayTimeout, exceptions.ServiceUnavailable, exceptions.RetryError),
            f"no answer within {timeout_seconds:g} s (CSAT_DATAPROC_TIMEOUT_SECONDS): check the network",
        ),
    ]
    return next((fix for kinds, fix in fixes if isinstance(error, kinds)), "read the message; the next look asks again")
