"""How the brokers are reached: which combination of the Kafka settings it is, and whether it can work."""

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

if TYPE_CHECKING:
    from csat.settings import Settings


class KafkaAccessError(Exception):
    """The brokers cannot be used; the message is one line and names the settings to look at."""


class KafkaRefusedError(KafkaAccessError):
    """A broker or a token server refused: to try again changes nothing."""


class KafkaUnreachableError(KafkaAccessError):
    """No broker answered in time."""


class Access(StrEnum):
    """The ways to reach a broker."""

    PLAINTEXT = "PLAINTEXT"
    PASSWORD = "SASL_SSL with a password"  # noqa: S105  # a name
    GOOGLE = "OAUTHBEARER with CSAT_KAFKA_OAUTH_SOURCE=google"
    OIDC = "OAUTHBEARER with CSAT_KAFKA_OAUTH_SOURCE=oidc"


@dataclass(frozen=True)
class _Login:
    """The settings that one way must have and may have; it takes no others."""

    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ("kafka_ca_file",)


_LOGINS = {
    Access.PLAINTEXT: _Login(optional=()),
    Access.PASSWORD: _Login(("kafka_username", "kafka_password")),
    Access.GOOGLE: _Login(("kafka_oauth_source",)),
    Access.OIDC: _Login(
        ("kafka_oauth_source", "kafka_oauth_url", "kafka_oauth_client_id", "kafka_oauth_client_secret"),
        ("kafka_ca_file", "kafka_oauth_scope"),
    ),
}
_LOGIN_SETTINGS = sorted({name for login in _LOGINS.values() for name in (*login.needed, *login.optional)})


def access_of(settings: "Settings") -> Access:
    """The way that the settings ask for."""
    if settings.kafka_security_protocol == "PLAINTEXT":
        return Access.PLAINTEXT
    if settings.kafka_sasl_mechanism != "OAUTHBEARER":
        return Access.PASSWORD
    return Access.GOOGLE if settings.kafka_oauth_source == "google" else Access.OIDC


def variables(access: Access) -> str:
    """The variables that a login of this way is made of, for a message."""
    return ", ".join(_variable(name) for name in _LOGINS[access].needed)


def check_combination(settings: "Settings") -> None:
    """Raise ValueError, naming the setting, where the Kafka settings cannot work together or are not safe."""
    if settings.kafka_security_protocol == "PLAINTEXT":
        _check_plaintext(settings)
    elif not settings.kafka_bootstrap_servers:
        raise ValueError(
            "CSAT_KAFKA_SECURITY_PROTOCOL=SASL_SSL needs CSAT_KAFKA_BOOTSTRAP_SERVERS: the local stack's broker "
            "speaks PLAINTEXT."
        )
    elif settings.kafka_sasl_mechanism == "OAUTHBEARER" and not settings.kafka_oauth_source:
        raise ValueError("CSAT_KAFKA_SASL_MECHANISM=OAUTHBEARER needs CSAT_KAFKA_OAUTH_SOURCE: google or oidc.")
    _check_login(settings, access_of(settings))
    _check_token_url(settings.kafka_oauth_url)


def _check_plaintext(settings: "Settings") -> None:
    away = [server for server in settings.bootstrap_servers.split(",") if not _is_loopback(_host(server))]
    if away and not settings.kafka_allow_plaintext:
        raise ValueError(
            f"CSAT_KAFKA_SECURITY_PROTOCOL=PLAINTEXT would send every answer unencrypted to {', '.join(away)}: set "
            "SASL_SSL, or CSAT_KAFKA_ALLOW_PLAINTEXT=true where the network itself is private."
        )


def _check_login(settings: "Settings", access: Access) -> None:
    login = _LOGINS[access]
    missing = [_variable(name) for name in login.needed if not _value(settings, name)]
    if missing:
        raise ValueError(f"{access} needs {', '.join(missing)}.")
    taken = (*login.needed, *login.optional)
    useless = [_variable(name) for name in _LOGIN_SETTINGS if name not in taken and _value(settings, name)]
    if useless:
        raise ValueError(
            f"{access} does not use {', '.join(useless)}: leave that out, or correct CSAT_KAFKA_SECURITY_PROTOCOL "
            "and CSAT_KAFKA_SASL_MECHANISM."
        )


def _check_token_url(url: str) -> None:
    parts = urlsplit(url)
    if url and not (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))):
        raise ValueError(
            f"CSAT_KAFKA_OAUTH_URL={url} would send the client's secret unencrypted: give an https:// URL."
        )


def _value(settings: "Settings", name: str) -> object:
    value = getattr(settings, name)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _variable(name: str) -> str:
    return f"CSAT_{name.upper()}"


def _host(server: str) -> str:
    return urlsplit(f"//{server.strip()}").hostname or ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
