"""The JVM's Kafka options from the settings, and query plans that do not show them."""

from typing import Any

import pytest
from pyspark.sql import SparkSession

from csat.contract.settings import Settings
from spark.kafka_login import client_options, jvm_properties
from spark.session import session_options
from spark.source import read_messages

TLS = {"kafka_security_protocol": "SASL_SSL", "kafka_bootstrap_servers": "one:9092"}
SCRAM = TLS | {"kafka_username": "ada", "kafka_password": 'hu"s\\h'}
TOKEN = TLS | {"kafka_sasl_mechanism": "OAUTHBEARER"}
GOOGLE = TOKEN | {"kafka_oauth_source": "google"}
OIDC = TOKEN | {
    "kafka_oauth_source": "oidc",
    "kafka_oauth_url": "https://login.example/token",
    "kafka_oauth_client_id": "stream",
    "kafka_oauth_client_secret": "hush",
}
LOGIN = "org.apache.kafka.common.security"


def settings(values: dict[str, Any]) -> Settings:
    return Settings(_env_file=None, **values)


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ({"kafka_port": 41}, {"bootstrap.servers": "127.0.0.1:41", "security.protocol": "PLAINTEXT"}),
        (
            SCRAM | {"kafka_ca_file": "/ca.pem"},
            {
                "bootstrap.servers": "one:9092",
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.jaas.config": f'{LOGIN}.scram.ScramLoginModule required username="ada" password="hu\\"s\\\\h";',
                "ssl.truststore.type": "PEM",
                "ssl.truststore.location": "/ca.pem",
            },
        ),
        (
            SCRAM | {"kafka_sasl_mechanism": "PLAIN", "kafka_password": "hush"},
            {
                "bootstrap.servers": "one:9092",
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "PLAIN",
                "sasl.jaas.config": f'{LOGIN}.plain.PlainLoginModule required username="ada" password="hush";',
            },
        ),
        (
            GOOGLE,
            {
                "bootstrap.servers": "one:9092",
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "OAUTHBEARER",
                "sasl.jaas.config": f"{LOGIN}.oauthbearer.OAuthBearerLoginModule required;",
                "sasl.login.callback.handler.class": "com.google.cloud.hosted.kafka.auth.GcpLoginCallbackHandler",
            },
        ),
        (
            OIDC | {"kafka_oauth_scope": "answers"},
            {
                "bootstrap.servers": "one:9092",
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "OAUTHBEARER",
                "sasl.jaas.config": f'{LOGIN}.oauthbearer.OAuthBearerLoginModule required clientId="stream" '
                'clientSecret="hush" scope="answers";',
                "sasl.login.callback.handler.class": f"{LOGIN}.oauthbearer.OAuthBearerLoginCallbackHandler",
                "sasl.oauthbearer.token.endpoint.url": "https://login.example/token",
                "sasl.login.connect.timeout.ms": "10000",
                "sasl.login.read.timeout.ms": "10000",
            },
        ),
    ],
)
def test_options_are_those_of_the_settings(values: dict[str, Any], options: dict[str, str]) -> None:
    assert client_options(settings(values)) == options


def test_only_the_token_server_of_the_settings_is_allowed() -> None:
    wanted = {"org.apache.kafka.sasl.oauthbearer.allowed.urls": "https://login.example/token"}
    assert jvm_properties(settings(OIDC)) == wanted
    assert jvm_properties(settings(GOOGLE)) == {}
    cloud = session_options(settings(OIDC | {"target": "gcp", "project_id": "shop"}))
    assert cloud["spark.executor.extraJavaOptions"] == (
        "-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=https://login.example/token"
    )


@pytest.mark.parametrize(("values", "secret"), [(SCRAM, 'hu\\"s'), (OIDC, "hush"), (GOOGLE, "LoginModule")])
def test_plan_does_not_show_the_login(spark: SparkSession, values: dict[str, Any], secret: str) -> None:
    messages = read_messages(spark, settings(values), {0: 0})
    plan = messages._jdf.queryExecution().analyzed().treeString()
    assert "kafka.sasl.jaas.config=*********(redacted)" in plan
    assert secret not in plan
    assert not [pair for pair in spark.sparkContext.getConf().getAll() if secret in pair[1]]
