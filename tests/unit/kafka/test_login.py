"""kafka-python's options from the settings, and its errors explained in terms of the settings."""

import socket
import ssl
from typing import Any

import pytest
from kafka.errors import (
    InvalidReceiveError,
    KafkaConnectionError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)
from kafka.net.transport import KafkaTCPTransport

from csat.contract.kafka_access import KafkaAccessError, KafkaRefusedError
from csat.contract.settings import Settings
from csat.kafka.first_contact import explained, read_before_close
from csat.kafka.login import connection_options
from csat.kafka.tokens import GoogleTokens, OidcTokens

TLS = {"kafka_security_protocol": "SASL_SSL", "kafka_bootstrap_servers": "one:9092, two:9092"}
SCRAM = TLS | {"kafka_username": "ada", "kafka_password": "s3cret", "kafka_ca_file": "/ca.pem"}
GOOGLE = TLS | {"kafka_sasl_mechanism": "OAUTHBEARER", "kafka_oauth_source": "google"}
OIDC = TLS | {
    "kafka_sasl_mechanism": "OAUTHBEARER",
    "kafka_oauth_source": "oidc",
    "kafka_oauth_url": "https://login.example/token",
    "kafka_oauth_client_id": "stream",
    "kafka_oauth_client_secret": "s3cret",
}


def settings(values: dict[str, Any]) -> Settings:
    return Settings(_env_file=None, **values)


def options(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in connection_options(settings(values)).items() if name != "kafka_client"}


def certificate_error(code: int, text: str) -> KafkaConnectionError:
    """As kafka-python raises it: the TLS error is the context of its own error."""
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_code, cause.verify_message = code, text
    return during(cause)


def during(cause: BaseException) -> KafkaConnectionError:
    error = KafkaConnectionError("Handshake failed")
    error.__context__ = cause
    return error


def test_plaintext_has_addresses_and_no_login() -> None:
    assert options({"kafka_port": 41}) == {"bootstrap_servers": ["127.0.0.1:41"], "security_protocol": "PLAINTEXT"}


def test_password_login_has_the_ca_file() -> None:
    assert options(SCRAM) == {
        "bootstrap_servers": ["one:9092", "two:9092"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "ada",
        "sasl_plain_password": "s3cret",
        "ssl_cafile": "/ca.pem",
    }


@pytest.mark.parametrize(("values", "kind"), [(GOOGLE, GoogleTokens), (OIDC, OidcTokens)])
def test_token_comes_from_its_source(values: dict[str, Any], kind: type) -> None:
    found = options(values)
    assert type(found.pop("sasl_oauth_token_provider")) is kind
    assert found == {
        "bootstrap_servers": ["one:9092", "two:9092"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "OAUTHBEARER",
        "ssl_cafile": None,
    }


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (
            SCRAM,
            SaslAuthenticationFailedError("bad"),
            r"one:9092, two:9092 refused the login .*: check CSAT_KAFKA_USERNAME, CSAT_KAFKA_PASSWORD, "
            r"CSAT_KAFKA_SASL_MECHANISM\.",
        ),
        (SCRAM, UnsupportedSaslMechanismError(), "CSAT_KAFKA_SASL_MECHANISM"),
        (GOOGLE, SaslAuthenticationFailedError("bad"), "check CSAT_KAFKA_OAUTH_SOURCE"),
        (
            OIDC,
            SaslAuthenticationFailedError("bad"),
            "check CSAT_KAFKA_OAUTH_SOURCE, CSAT_KAFKA_OAUTH_URL, CSAT_KAFKA_OAUTH_CLIENT_ID, "
            "CSAT_KAFKA_OAUTH_CLIENT_SECRET",
        ),
        (SCRAM, certificate_error(18, "self-signed certificate"), "self-signed certificate. Set CSAT_KAFKA_CA_FILE"),
        (
            SCRAM,
            certificate_error(62, "Hostname mismatch."),
            "in CSAT_KAFKA_BOOTSTRAP_SERVERS as their certificate does",
        ),
        (SCRAM, during(ssl.SSLEOFError(8, "EOF")), "does not speak SASL_SSL: correct CSAT_KAFKA_SECURITY_PROTOCOL"),
        ({}, InvalidReceiveError("352518912"), "does not speak PLAINTEXT: correct CSAT_KAFKA_SECURITY_PROTOCOL"),
        (SCRAM, FileNotFoundError(2, "No such file"), "check CSAT_KAFKA_CA_FILE=/ca.pem"),
        (SCRAM, ssl.SSLError("no certificate found"), "check CSAT_KAFKA_CA_FILE=/ca.pem"),
    ],
)
def test_refusal_names_its_settings(values: dict[str, Any], error: Exception, message: str) -> None:
    found = explained(settings(values), error)
    assert type(found) is KafkaRefusedError
    with pytest.raises(KafkaRefusedError, match=message):
        raise found
    assert "s3cret" not in str(found)


def test_a_timeout_names_its_last_cause() -> None:
    error = KafkaTimeoutError("Unable to bootstrap")
    error.__cause__ = KafkaConnectionError("111 ECONNREFUSED")
    found = explained(settings({"kafka_port": 41}), error)
    assert type(found) is KafkaAccessError
    assert str(found) == (
        "No Kafka broker responds at 127.0.0.1:41 (KafkaConnectionError: 111 ECONNREFUSED): start the stack with "
        "`csat up`, or correct CSAT_KAFKA_BOOTSTRAP_SERVERS and CSAT_KAFKA_SECURITY_PROTOCOL."
    )


def test_an_unreachable_token_server_keeps_its_own_message() -> None:
    error = KafkaTimeoutError("Unable to bootstrap")
    error.__cause__ = KafkaAccessError("No token server responds")
    assert explained(settings(OIDC), error) is error.__cause__


def test_a_token_servers_refusal_keeps_its_own_message() -> None:
    error = KafkaRefusedError("The token server refused")
    error.__cause__ = OSError("HTTP Error 401")
    assert explained(settings(OIDC), error) is error


def test_a_reason_that_arrives_with_the_hang_up_is_read() -> None:
    broker, near = socket.socketpair()
    near.setblocking(False)
    transport = KafkaTCPTransport(None, near)
    read_before_close(transport)
    broker.sendall(b"your password is wrong")
    broker.close()
    assert transport._sock_recv() == (b"your password is wrong", None)
    received, error = transport._sock_recv()
    assert (received, str(error)) == (b"", "KafkaConnectionError: socket disconnected")
    near.close()
