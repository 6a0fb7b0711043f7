"""How clients reach the brokers: the combination of Kafka settings, and whether it can work."""

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, model_validator

from csat.contract.errors import CsatError


class KafkaAccessError(CsatError):
    """The brokers cannot be used; the message is one line and names the settings to check."""


class KafkaRefusedError(KafkaAccessError):
    """A broker or a token server refused: a retry would not help."""


class Access(StrEnum):
    """How to reach a broker."""

    PLAINTEXT = "PLAINTEXT"
    PASSWORD = "SASL_SSL with a password"  # noqa: S105  # a name
    GOOGLE = "OAUTHBEARER with CSAT_KAFKA_OAUTH_SOURCE=google"
    OIDC = "OAUTHBEARER with CSAT_KAFKA_OAUTH_SOURCE=oidc"


class KafkaSettings(BaseModel):
    """The Kafka settings; `csat.contract.settings.Settings` inherits them."""

    kafka_bootstrap_servers: str = Field("", description="Kafka brokers; empty: the local stack's.")
    kafka_topic: str = Field("messages", description="Topic of the survey responses.")
    kafka_partitions: int = Field(4, ge=1, description="Partitions of the topic when the local stack creates it.")
    kafka_security_protocol: Literal["PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="PLAINTEXT is for brokers on this machine only."
    )
    kafka_allow_plaintext: bool = Field(False, description="Allow unencrypted PLAINTEXT to other machines.")
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-512", "OAUTHBEARER"] = Field(
        "SCRAM-SHA-512", description="How to log in with SASL_SSL."
    )
    kafka_username: str = Field("", description="User for PLAIN and SCRAM-SHA-512.")
    kafka_password: SecretStr = Field(SecretStr(""), description="Password for PLAIN and SCRAM-SHA-512.")
    kafka_ca_file: Path | None = Field(
        None, description="PEM file of the CA that signed the brokers' certificates; empty: the system's CAs."
    )
    kafka_oauth_source: Literal["", "google", "oidc"] = Field(
        "", description="Source of the OAUTHBEARER token: google (Managed Service for Apache Kafka), or oidc."
    )
    kafka_oauth_url: str = Field("", description="Token endpoint of the OIDC server.")
    kafka_oauth_scope: str = Field("", description="Scope to request from the OIDC server; empty: its default.")
    kafka_oauth_client_id: str = Field("", description="Client id at the OIDC server.")
    kafka_oauth_client_secret: SecretStr = Field(SecretStr(""), description="Client secret at the OIDC server.")
    kafka_port: int = Field(9092, description="Port of the local broker.")

    @model_validator(mode="after")
    def _check_kafka(self) -> Self:
        check_combination(self)
        return self

    @property
    def bootstrap_servers(self) -> str:
        """Kafka brokers, host:port with commas between."""
        return self.kafka_bootstrap_servers or f"127.0.0.1:{self.kafka_port}"


@dataclass(frozen=True)
class _Login:
    """The settings that an access needs and may have; others are an error."""

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


def access_of(settings: KafkaSettings) -> Access:
    """The access that the settings select."""
    if settings.kafka_security_protocol == "PLAINTEXT":
        return Access.PLAINTEXT
    if settings.kafka_sasl_mechanism != "OAUTHBEARER":
        return Access.PASSWORD
    return Access.GOOGLE if settings.kafka_oauth_source == "google" else Access.OIDC


def variables(access: Access) -> str:
    """The variables that a login with this access needs, for a message."""
    return ", ".join(_variable(name) for name in _LOGINS[access].needed)


def check_combination(settings: KafkaSettings) -> None:
    """Raise ValueError, naming the setting, if the Kafka settings contradict each other or are not safe."""
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


def addresses_of(settings: KafkaSettings) -> list[str]:
    """The host:port of each broker that is named."""
    return [server.strip() for server in settings.bootstrap_servers.split(",")]


def _check_plaintext(settings: KafkaSettings) -> None:
    remote = [server for server in addresses_of(settings) if not _is_loopback(_host(server))]
    if remote and not settings.kafka_allow_plaintext:
        raise ValueError(
            f"CSAT_KAFKA_SECURITY_PROTOCOL=PLAINTEXT would send every response unencrypted to {', '.join(remote)}: set "
            "SASL_SSL, or CSAT_KAFKA_ALLOW_PLAINTEXT=true where the network itself is private."
        )


def _check_login(settings: KafkaSettings, access: Access) -> None:
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


def _value(settings: KafkaSettings, name: str) -> object:
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
