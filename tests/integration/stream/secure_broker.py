"""A real broker that wants TLS and a login: SCRAM-SHA-512 with a password, or OAUTHBEARER with a token."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from csat.contract.settings import Settings
from csat.local import kafka
from csat.local.ports import free_ports
from tests.integration.stream import token_server as tokens

USERNAME = "ada"
PASSWORD = "a pass\"word with \\ and ' in it"
_LOGIN = "org.apache.kafka.common.security"
_READY_SECONDS = 60


@dataclass(frozen=True)
class SecureBroker:
    """A running broker. `settings` reach it without a login, to look behind it; the others are changes of settings."""

    settings: Settings
    tls_server: str
    folder: Path
    token_url: str

    @property
    def tls(self) -> dict[str, Any]:
        """What every login begins with."""
        return {
            "kafka_security_protocol": "SASL_SSL",
            "kafka_bootstrap_servers": self.tls_server,
            "kafka_ca_file": certificate(self.folder, "broker"),
        }

    @property
    def scram(self) -> dict[str, Any]:
        """The login with the password."""
        return self.tls | {"kafka_username": USERNAME, "kafka_password": PASSWORD}

    @property
    def oidc(self) -> dict[str, Any]:
        """The login with a token."""
        return self.tls | {
            "kafka_sasl_mechanism": "OAUTHBEARER",
            "kafka_oauth_source": "oidc",
            "kafka_oauth_url": self.token_url,
            "kafka_oauth_scope": tokens.SCOPE,
            "kafka_oauth_client_id": tokens.CLIENT_ID,
            "kafka_oauth_client_secret": tokens.CLIENT_SECRET,
        }


@contextmanager
def secure_broker(folder: Path) -> Iterator[SecureBroker]:
    """The broker, with its token server; both end with the block."""
    ports = free_ports()
    settings = Settings(state_dir=folder, _env_file=None, **ports)
    tls_server = f"127.0.0.1:{ports['airflow_port']}"
    make_certificate(folder, "broker")
    make_certificate(folder, "stranger")
    with tokens.token_server(folder) as address:
        kafka.prepare(settings, _changes(settings, tls_server, folder, address))
        allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={address}/keys"
        with (folder / "broker.log").open("wb") as log:
            process = subprocess.Popen(kafka.command(settings, allowed), stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_for(settings, process, folder / "broker.log")
            _add_user(settings)
            yield SecureBroker(settings, tls_server, folder, f"{address}/token")
        finally:
            process.kill()
            process.wait(30)


def certificate(folder: Path, name: str) -> Path:
    """The PEM file of a certificate that signed itself."""
    return folder / f"{name}-certificate.pem"


def make_certificate(folder: Path, name: str) -> None:
    """Make a key, its certificate for 127.0.0.1, and one file with both."""
    key, signed = folder / f"{name}-key.pem", certificate(folder, name)
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "2", "-subj", f"/CN={name}"]
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(signed)]
    subprocess.run([*command, *files], capture_output=True, timeout=30, check=True)
    (folder / f"{name}-both.pem").write_text(key.read_text() + signed.read_text())


def _changes(settings: Settings, tls_server: str, folder: Path, address: str) -> dict[str, object]:
    plain, controller = (f"127.0.0.1:{port}" for port in (settings.kafka_port, settings.kafka_controller_port))
    listeners = f"PLAINTEXT://{plain},SASL_SSL://{tls_server}"
    scram, oauth = "listener.name.sasl_ssl.scram-sha-512", "listener.name.sasl_ssl.oauthbearer"
    return {
        "listeners": f"{listeners},CONTROLLER://{controller}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL",
        "advertised.listeners": f"{listeners},CONTROLLER://{controller}",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": folder / "broker-both.pem",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512,OAUTHBEARER",
        f"{scram}.sasl.jaas.config": f"{_LOGIN}.scram.ScramLoginModule required;",
        f"{oauth}.sasl.jaas.config": f"{_LOGIN}.oauthbearer.OAuthBearerLoginModule required;",
        f"{oauth}.sasl.server.callback.handler.class": f"{_LOGIN}.oauthbearer.OAuthBearerValidatorCallbackHandler",
        "sasl.oauthbearer.jwks.endpoint.url": f"{address}/keys",
        "sasl.oauthbearer.expected.audience": tokens.AUDIENCE,
    }


def _wait_for(settings: Settings, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not kafka.is_ready(settings):
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"the broker did not start; its log ends:\n{log.read_text()[-3000:]}")
        time.sleep(0.2)


def _add_user(settings: Settings) -> None:
    user = UserScramCredentialUpsertion(USERNAME, ScramMechanism.SCRAM_SHA_512, PASSWORD, iterations=4096)
    admin = KafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    admin.alter_user_scram_credentials([user])
    admin.close()
