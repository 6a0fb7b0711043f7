"""What an error of Google's clients means: one line of text, and what to do about it."""

import json

from csat.contract.errors import CsatError
from csat.contract.settings import GOOGLE_LOGIN_FIX

RENEW_LOGIN = "run `gcloud auth application-default login`, or replace the service account's key if one is in use"
MACHINE_LOGIN = "attach a service account to the machine, batch or service that this runs on"
NETWORK = "check the network"
QUOTA = "wait, or request a higher quota in the console under IAM & Admin, Quotas"
ACCESS = "give this account the missing role: make cloud-apply grants those that csat needs"
BILLING = "link a billing account to the project: https://console.cloud.google.com/billing"
API = "enable the API that the message names: make cloud-apply enables those that csat needs"
QUOTA_REASONS = {"quotaExceeded", "rateLimitExceeded", "jobRateLimitExceeded"}
_REASON_FIXES = {"billingNotEnabled": BILLING, "accessNotConfigured": API, "SERVICE_DISABLED": API}
_UNAUTHORIZED, _FORBIDDEN, _TOO_MANY, _SERVER_ERROR = 401, 403, 429, 500


def text_of(error: BaseException) -> str:
    """The first line of the error's message; of the error that it wraps, if it has none of its own."""
    first = error.args[0] if error.args else error
    if isinstance(first, BaseException) and first is not error:
        return text_of(first)
    message = getattr(error, "message", None) or getattr(error, "strerror", None) or first
    lines = [line.strip() for line in str(message).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def is_over_quota(error: BaseException) -> bool:
    """Whether Google refuses only until a quota allows it again."""
    code = getattr(error, "code", None)
    is_named = bool(_reasons(error) & QUOTA_REASONS) or "quota" in text_of(error).lower()
    return code == _TOO_MANY or (code == _FORBIDDEN and is_named)


def _reasons(error: BaseException) -> set[str]:
    """The reasons that Google names, in the form of the older APIs and in that of the newer ones."""
    found = {str(one.get("reason")) for one in getattr(error, "errors", None) or () if isinstance(one, dict)}
    return found | {str(getattr(error, "reason", None) or "")}


def is_login_unavailable(error: BaseException) -> bool:
    """Whether the login failed for now: the network, a token service or a machine's metadata server is down.

    A login that is refused, such as one that expired, stays refused until a person changes it.
    """
    from google.auth.exceptions import GoogleAuthError, TransportError

    source = _source(error)
    if isinstance(source, TransportError):  # it holds a response only where the metadata server gave a final one
        return int(getattr(source.args[-1] if source.args else None, "status", _SERVER_ERROR)) >= _SERVER_ERROR
    return isinstance(source, GoogleAuthError) and (source.retryable or _is_server_error(source))


def _source(error: BaseException) -> BaseException:
    """The first login error among the causes, else the error.

    google-auth wraps one of the metadata server in a RefreshError that is never retryable, and gcsfs wraps that again.
    """
    from google.auth.exceptions import GoogleAuthError

    chain = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    return next((cause for cause in reversed(chain) if isinstance(cause, GoogleAuthError)), error)


def _is_server_error(error: BaseException) -> bool:
    """Whether a token service failed, by its response: google-auth calls only some of its failures retryable.

    A service refuses in JSON: a page is of a server in front of it.
    """
    response = str(error.args[-1]).strip() if error.args else ""
    if response.startswith("<"):
        return True
    try:
        code = int(json.loads(response)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return False
    return code == _TOO_MANY or code >= _SERVER_ERROR


def fix_of(error: BaseException) -> str:
    """What to do about an error of a login, a permission, a quota or a project; empty for any other."""
    from google.auth.exceptions import GoogleAuthError

    code = getattr(error, "code", None)
    if isinstance(_source(error), GoogleAuthError):
        return _login_fix(error)
    if code == _UNAUTHORIZED:
        return GOOGLE_LOGIN_FIX
    if is_over_quota(error):
        return QUOTA
    if code != _FORBIDDEN:
        return ""
    return next((fix for reason, fix in _REASON_FIXES.items() if reason in _reasons(error)), ACCESS)


def _login_fix(error: BaseException) -> str:
    from google.auth.exceptions import RefreshError, TransportError

    source = _source(error)
    if is_login_unavailable(error):
        return NETWORK
    if isinstance(source, TransportError):  # gcloud and keys are of no use to a login by the metadata server
        return MACHINE_LOGIN
    return RENEW_LOGIN if isinstance(source, RefreshError) else GOOGLE_LOGIN_FIX


def google_error(error: BaseException) -> CsatError | None:
    """The named error for one that a client of Google raised and nothing has named; None for any other."""
    try:
        from google.api_core.exceptions import GoogleAPIError
        from google.auth.exceptions import GoogleAuthError
    except ImportError:  # an environment without Google's clients
        return None
    if not isinstance(error, GoogleAPIError | GoogleAuthError):
        return None
    return CsatError(f"Google refused: {text_of(error)}", fix_of(error))
