"""What an error of Google's clients means: one line of text, and what to do about it."""

from csat.contract.errors import CsatError
from csat.contract.settings import GOOGLE_LOGIN_FIX

RENEW_LOGIN = "run `gcloud auth application-default login`, or replace the service account's key if one is in use"
QUOTA = "wait, or request a higher quota in the console under IAM & Admin, Quotas"
ACCESS = "give this account the missing role: make cloud-apply grants those that csat needs"
BILLING = "link a billing account to the project: https://console.cloud.google.com/billing"
API = "enable the API that the message names: make cloud-apply enables those that csat needs"
QUOTA_REASONS = {"quotaExceeded", "rateLimitExceeded", "jobRateLimitExceeded"}
_REASON_FIXES = {"billingNotEnabled": BILLING, "accessNotConfigured": API, "SERVICE_DISABLED": API}
_UNAUTHORIZED, _FORBIDDEN, _TOO_MANY = 401, 403, 429


def text_of(error: BaseException) -> str:
    """The first line of the error's message."""
    message = getattr(error, "message", None) or (error.args[0] if error.args else error)
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


def fix_of(error: BaseException) -> str:
    """What to do about an error of a login, a permission, a quota or a project; empty for any other."""
    from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError

    code = getattr(error, "code", None)
    if isinstance(error, TransportError) or (isinstance(error, RefreshError) and error.retryable):
        return "check the network"
    if isinstance(error, RefreshError):
        return RENEW_LOGIN
    if isinstance(error, GoogleAuthError) or code == _UNAUTHORIZED:
        return GOOGLE_LOGIN_FIX
    if is_over_quota(error):
        return QUOTA
    if code != _FORBIDDEN:
        return ""
    return next((fix for reason, fix in _REASON_FIXES.items() if reason in _reasons(error)), ACCESS)


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
