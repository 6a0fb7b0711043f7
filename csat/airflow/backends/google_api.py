"""Calls of Google's APIs: a timeout, no retry (the next poll retries), and errors that name the fix."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from csat.airflow.backends.base import BackendError
from csat.contract.google_errors import fix_of, text_of

QUOTA = "request a higher quota in the console under IAM & Admin, Quotas, or lower CSAT_DATAPROC_EXECUTORS"


@contextmanager
def errors(what: str, needs: str, timeout_seconds: float) -> Iterator[dict[str, Any]]:
    """Turn a client's errors into BackendError; yields the keyword arguments for calls of its methods.

    The message begins with `what`; `needs` names the roles that the account must have.
    """
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    try:
        yield {"timeout": timeout_seconds, "retry": None}
    except (GoogleAPIError, GoogleAuthError) as error:
        raise BackendError(f"{what}: {_text(error)}", _fix(error, needs, timeout_seconds)) from error


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {text_of(error)}"


def _fix(error: Exception, needs: str, timeout_seconds: float) -> str:
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError

    fixes: list[tuple[tuple[type[Exception], ...], str]] = [
        ((GoogleAuthError, exceptions.Unauthorized), fix_of(error)),
        ((exceptions.Forbidden,), f"this account needs {needs}: make cloud-apply grants it"),
        ((exceptions.TooManyRequests,), QUOTA),
        ((exceptions.NotFound,), "check CSAT_PROJECT_ID and CSAT_REGION, and run make cloud-apply"),
        (
            (exceptions.BadRequest,),
            "check CSAT_SUBNETWORK, CSAT_STREAM_SERVICE_ACCOUNT and CSAT_CODE_URI: make cloud-env writes them",
        ),
        (
            (exceptions.GatewayTimeout, exceptions.ServiceUnavailable, exceptions.RetryError),
            f"no response within {timeout_seconds:g} s (CSAT_DATAPROC_TIMEOUT_SECONDS): check the network",
        ),
    ]
    return next((fix for kinds, fix in fixes if isinstance(error, kinds)), "read the message; the next poll retries")
