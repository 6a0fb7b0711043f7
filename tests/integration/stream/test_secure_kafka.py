"""Producer, stream and probes over TLS, with a password and with a token; each refusal has a plain reason."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from csat.cli.main import run
from csat.contract.settings import Settings, get_settings
from csat.kafka.offsets import Offsets, kafka_offsets
from csat.local import kafka
from producer.options import SimulateOptions
from producer.run import simulate
from tests.integration.conftest import World
from tests.integration.stream import token_server
from tests.integration.stream.secure_broker import PASSWORD, SecureBroker, certificate, secure_broker

pytestmark = pytest.mark.integration

# Well under the 10 to 15 s that kafka-python would go on trying, and no JVM is started for it
REFUSED_SECONDS = 8
EVENTS = 30
LOGINS = {"SCRAM": lambda broker: broker.scram, "OAUTHBEARER": lambda broker: broker.oidc}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    with secure_broker(tmp_path_factory.mktemp("secure")) as running:
        yield running


@pytest.fixture
def secured(world: World, broker: SecureBroker) -> Callable[[dict[str, Any]], World]:
    """Turns the world to the secure broker, with this login."""

    def turn(login: dict[str, Any]) -> World:
        values = {name: getattr(world.settings, name) for name in world.settings.model_fields_set}
        return replace(world, settings=Settings(_env_file=None, **values | login))

    kafka.create_topic(broker.settings.model_copy(update={"kafka_topic": world.settings.kafka_topic}))
    return turn


@pytest.mark.parametrize("login", LOGINS.values(), ids=LOGINS)
def test_responses_go_from_the_producer_to_the_landing_table(
    secured: Callable[[dict[str, Any]], World], broker: SecureBroker, login: Callable[[SecureBroker], dict[str, Any]]
) -> None:
    world = secured(login(broker))
    assert simulate(world.settings, SimulateOptions(events=EVENTS)).as_dict()["sent"] == EVENTS
    driver = world.start_driver("--catch-up")
    assert driver.exit_code() == 0, driver.log.read_text()[-3000:]
    landed = world.rows("kafka_partition, kafka_offset, rejection_reason")
    assert len(landed) == EVENTS
    assert {row["rejection_reason"] for row in landed} == {None}
    ends = kafka_offsets(world.settings, [world.settings.kafka_topic])
    assert sum(offsets.end for offsets in ends.values()) == EVENTS
    assert {type(offsets) for offsets in ends.values()} == {Offsets}
    log = driver.log.read_text()
    assert "Landed 30 rows" in log
    assert not [secret for secret in (PASSWORD, token_server.CLIENT_SECRET) if secret[:10] in log]


REFUSALS: dict[str, tuple[Callable[[SecureBroker], dict[str, Any]], str]] = {
    "wrong password": (
        lambda broker: broker.scram | {"kafka_password": "hush"},
        "refused the login ([Error 58] SaslAuthenticationFailedError: SaslAuthenticationFailedError: Authentication "
        "failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512): check "
        "CSAT_KAFKA_USERNAME, CSAT_KAFKA_PASSWORD, CSAT_KAFKA_SASL_MECHANISM.",
    ),
    "wrong secret": (
        lambda broker: broker.oidc | {"kafka_oauth_client_secret": "hush"},
        "/token refused (HTTP 401 invalid_client): check CSAT_KAFKA_OAUTH_SOURCE, CSAT_KAFKA_OAUTH_URL, "
        "CSAT_KAFKA_OAUTH_CLIENT_ID, CSAT_KAFKA_OAUTH_CLIENT_SECRET and CSAT_KAFKA_OAUTH_SCOPE.",
    ),
    "unknown authority": (
        lambda broker: broker.scram | {"kafka_ca_file": certificate(broker.folder, "stranger")},
        "shows a certificate that is not trusted: self-signed certificate. Set CSAT_KAFKA_CA_FILE to the PEM file of "
        "the CA that signed it.",
    ),
    "no TLS where there is TLS": (
        lambda broker: {"kafka_bootstrap_servers": broker.tls_server},
        "does not speak PLAINTEXT: correct CSAT_KAFKA_SECURITY_PROTOCOL, or the port in CSAT_KAFKA_BOOTSTRAP_SERVERS.",
    ),
    "TLS where there is none": (
        lambda broker: broker.scram | {"kafka_bootstrap_servers": broker.settings.bootstrap_servers},
        "does not speak SASL_SSL: correct CSAT_KAFKA_SECURITY_PROTOCOL, or the port in CSAT_KAFKA_BOOTSTRAP_SERVERS.",
    ),
}


@pytest.mark.parametrize(("login", "message"), REFUSALS.values(), ids=REFUSALS)
def test_producer_stream_and_probes_are_refused_at_once_in_one_line(
    secured: Callable[[dict[str, Any]], World],
    broker: SecureBroker,
    login: Callable[[SecureBroker], dict[str, Any]],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = secured(login(broker))
    for name, value in world.settings.as_environment().items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    began = time.monotonic()
    driver = world.start_driver()
    for command in (["simulate", "--events", "3"], ["check", "completeness"]):
        capsys.readouterr()
        asked = time.monotonic()
        assert run(command) == 1
        assert time.monotonic() - asked < REFUSED_SECONDS
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")
        assert line.endswith(message)
    assert driver.exit_code(30) == 1
    assert time.monotonic() - began < 3 * REFUSED_SECONDS
    lines = driver.log.read_text().splitlines()
    assert lines[-1].startswith("error: ")
    assert lines[-1].endswith(message)
    assert "hush" not in driver.log.read_text()
    get_settings.cache_clear()
