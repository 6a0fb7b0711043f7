"""Tokens for OAUTHBEARER: Google's own kind, and those of any OpenID Connect server."""

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC
from email.message import Message
from functools import partial
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from kafka.net.sasl.oauth import AbstractTokenProvider

from csat.contract.google_errors import fix_of, is_login_unavailable, text_of
from csat.contract.kafka_access import Access, KafkaAccessError, KafkaRefusedError, access_of, variables
from csat.contract.settings import GOOGLE_LOGIN_FIX, Settings

_TIMEOUT_SECONDS = 10
# A token is used for this share of its lifetime, so that none expires in flight.
_USED_SHARE = 0.8
_GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def token_provider(settings: Settings) -> AbstractTokenProvider:
    """kafka-python's token provider; it sends no request before the first token is needed."""
    return GoogleTokens() if access_of(settings) is Access.GOOGLE else OidcTokens(settings)


class OidcTokens(AbstractTokenProvider):  # type: ignore[misc]
    """Access tokens by client credentials, each cached for most of its lifetime."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._token = ""
        self._refresh_at = 0.0

    def token(self) -> str:
        """The current token. Raises KafkaAccessError, which names the settings."""
        if not self._token or self._clock() >= self._refresh_at:
            now = self._clock()
            document = self._fetch()
            self._token = document["access_token"]
            self._refresh_at = now + float(document.get("expires_in", 0)) * _USED_SHARE
        return self._token

    def _fetch(self) -> dict[str, Any]:
        url = self._settings.kafka_oauth_url
        try:
            # A redirect would carry the secret to wherever it points
            with build_opener(_NoRedirect).open(self._request(), timeout=_TIMEOUT_SECONDS) as response:
                document = json.load(response)
        except HTTPError as error:
            raise KafkaRefusedError(
                f"The token server at {url} refused ({_reason(error)}): check {variables(Access.OIDC)} and "
                "CSAT_KAFKA_OAUTH_SCOPE."
            ) from error
        except OSError as error:
            raise KafkaAccessError(
                f"No token server responds at {url} ({error}): check CSAT_KAFKA_OAUTH_URL."
            ) from error
        except ValueError as error:
            raise _no_token(url) from error
        if not isinstance(document, dict) or not isinstance(document.get("access_token"), str):
            raise _no_token(url)
        return document

    def _request(self) -> Request:
        form = {"grant_type": "client_credentials"}
        if self._settings.kafka_oauth_scope:
            form["scope"] = self._settings.kafka_oauth_scope
        secret = self._settings.kafka_oauth_client_secret.get_secret_value()
        login = base64.b64encode(f"{self._settings.kafka_oauth_client_id}:{secret}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Accept": "application/json"}
        # The settings allow https, or http on this machine
        return Request(self._settings.kafka_oauth_url, urlencode(form).encode(), headers)  # noqa: S310


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> Request | None:
        return None


def _reason(error: HTTPError) -> str:
    """The server's own error code if it gave one: "error" of RFC 6749, section 5.2."""
    try:
        code = json.load(error).get("error", "")
    except (OSError, ValueError, AttributeError):
        code = ""
    return f"HTTP {error.code} {code}".strip()


def _no_token(url: str) -> KafkaRefusedError:
    return KafkaRefusedError(f"{url} responds without a token: is CSAT_KAFKA_OAUTH_URL the token endpoint?")


class GoogleTokens(AbstractTokenProvider):  # type: ignore[misc]
    """Tokens of Managed Service for Apache Kafka, from the application default credentials.

    The service does not accept a plain access token: https://cloud.google.com/managed-service-for-apache-kafka/docs
    """

    def __init__(self, credentials: Any = None, clock: Callable[[], float] = time.time) -> None:
        self._credentials = credentials
        self._clock = clock

    def token(self) -> str:
        """The current token. Raises KafkaRefusedError if there are no valid credentials, else KafkaAccessError."""
        import google.auth
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request as Transport

        try:
            if self._credentials is None:
                self._credentials, _ = google.auth.default(scopes=[_GOOGLE_SCOPE])
            if not self._credentials.valid:
                self._credentials.refresh(partial(Transport(), timeout=_TIMEOUT_SECONDS))
        except (GoogleAuthError, OSError) as error:
            kind = KafkaAccessError if is_login_unavailable(error) else KafkaRefusedError
            raise kind(f"No Google token for Kafka ({text_of(error)})", fix_of(error) or GOOGLE_LOGIN_FIX) from error
        return google_token(self._credentials, self._clock())


def google_token(credentials: Any, now: float) -> str:
    """The access token in the service's format: header, claims and token, each in base64url."""
    header = {"typ": "JWT", "alg": "GOOG_OAUTH2_TOKEN"}
    claims = {
        "exp": int(credentials.expiry.replace(tzinfo=UTC).timestamp()),  # google.auth leaves the zone out
        "iat": int(now),
        "iss": "Google",
        "scope": "kafka",
        "sub": _principal(credentials),
    }
    parts = (json.dumps(header), json.dumps(claims), credentials.token)
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


def _principal(credentials: Any) -> str:
    """The caller's e-mail address, as the service knows it."""
    from google.auth import jwt

    email = getattr(credentials, "service_account_email", None)
    if not email and getattr(credentials, "id_token", None):  # a user's, from gcloud
        email = jwt.decode(credentials.id_token, verify=False).get("email")
    if not email:
        raise KafkaRefusedError(
            "The Google credentials do not say whose they are: log in as a service account, "
            "or set GOOGLE_APPLICATION_CREDENTIALS to its key file."
        )
    return str(email)
