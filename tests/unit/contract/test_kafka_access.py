"""Valid combinations of Kafka settings are accepted; others are refused with the name of the setting."""

from typing import Any

import pytest
from pydantic import ValidationError

from csat.contract.kafka_access import Access, access_of
from csat.contract.settings import Settings, settings_problem

TLS = {"kafka_security_protocol": "SASL_SSL", "kafka_bootstrap_servers": "broker:9092"}
PASSWORD = TLS | {"kafka_username": "ada", "kafka_password": "hush"}
GOOGLE = TLS | {"kafka_sasl_mechanism": "OAUTHBEARER", "kafka_oauth_source": "google"}
OIDC = TLS | {
    "kafka_sasl_mechanism": "OAUTHBEARER",
    "kafka_oauth_source": "oidc",
    "kafka_oauth_url": "https://login.example/token",
    "kafka_oauth_client_id": "stream",
    "kafka_oauth_client_secret": "hush",
}


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


@pytest.mark.parametrize(
    ("values", "access"),
    [
        ({}, Access.PLAINTEXT),
        ({"kafka_bootstrap_servers": "127.0.0.2:9092,[::1]:9092, localhost:9"}, Access.PLAINTEXT),
        ({"kafka_bootstrap_servers": "broker:9092", "kafka_allow_plaintext": True}, Access.PLAINTEXT),
        (PASSWORD, Access.PASSWORD),
        (PASSWORD | {"kafka_sasl_mechanism": "PLAIN", "kafka_ca_file": "ca.pem"}, Access.PASSWORD),
        (GOOGLE, Access.GOOGLE),
        (OIDC | {"kafka_oauth_scope": "kafka"}, Access.OIDC),
        (OIDC | {"kafka_oauth_url": "http://127.0.0.1:8080/token"}, Access.OIDC),
    ],
)
def test_combination_is_accepted(values: dict[str, Any], access: Access) -> None:
    assert access_of(settings(**values)) is access


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"kafka_bootstrap_servers": "127.0.0.1:9092,broker:9092"},
            "CSAT_KAFKA_SECURITY_PROTOCOL=PLAINTEXT would send every response unencrypted to broker:9092: set "
            "SASL_SSL, or CSAT_KAFKA_ALLOW_PLAINTEXT=true where the network itself is private.",
        ),
        (
            PASSWORD | {"kafka_bootstrap_servers": ""},
            "CSAT_KAFKA_SECURITY_PROTOCOL=SASL_SSL needs CSAT_KAFKA_BOOTSTRAP_SERVERS: the local stack's broker "
            "speaks PLAINTEXT.",
        ),
        (PASSWORD | {"kafka_password": ""}, "SASL_SSL with a password needs CSAT_KAFKA_PASSWORD."),
        (TLS, "SASL_SSL with a password needs CSAT_KAFKA_USERNAME, CSAT_KAFKA_PASSWORD."),
        (
            PASSWORD | {"kafka_oauth_source": "google"},
            "SASL_SSL with a password does not use CSAT_KAFKA_OAUTH_SOURCE: leave that out, or correct "
            "CSAT_KAFKA_SECURITY_PROTOCOL and CSAT_KAFKA_SASL_MECHANISM.",
        ),
        (
            {"kafka_password": "hush"},
            "PLAINTEXT does not use CSAT_KAFKA_PASSWORD: leave that out, or correct CSAT_KAFKA_SECURITY_PROTOCOL and "
            "CSAT_KAFKA_SASL_MECHANISM.",
        ),
        (
            TLS | {"kafka_sasl_mechanism": "OAUTHBEARER"},
            "CSAT_KAFKA_SASL_MECHANISM=OAUTHBEARER needs CSAT_KAFKA_OAUTH_SOURCE: google or oidc.",
        ),
        (
            OIDC | {"kafka_oauth_url": "", "kafka_oauth_client_secret": ""},
            "OAUTHBEARER with CSAT_KAFKA_OAUTH_SOURCE=oidc needs CSAT_KAFKA_OAUTH_URL, CSAT_KAFKA_OAUTH_CLIENT_SECRET.",
        ),
        (
            GOOGLE | {"kafka_oauth_scope": "kafka"},
            "OAUTHBEARER with CSAT_KAFKA_OAUTH_SOURCE=google does not use CSAT_KAFKA_OAUTH_SCOPE: leave that out, or "
            "correct CSAT_KAFKA_SECURITY_PROTOCOL and CSAT_KAFKA_SASL_MECHANISM.",
        ),
        (
            OIDC | {"kafka_oauth_url": "http://login.example/token"},
            "CSAT_KAFKA_OAUTH_URL=http://login.example/token would send the client's secret unencrypted: give an "
            "https:// URL.",
        ),
    ],
)
def test_combination_is_refused_by_name(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**values)
    assert settings_problem(refused.value) == message


def test_secrets_are_in_no_text_of_the_settings() -> None:
    assert "hush" not in repr(settings(**PASSWORD))
    assert "hush" not in repr(settings(**OIDC))


def test_secrets_are_in_no_text_of_a_refusal() -> None:
    with pytest.raises(ValidationError) as refused:
        settings(kafka_password="hush")
    assert "hush" not in str(refused.value)
