"""kafka-python's connection options from the settings, and a check that the brokers grant access."""

from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer

from csat.contract.kafka_access import Access, access_of, addresses_of
from csat.contract.settings import Settings
from csat.kafka.first_contact import client, first_contact
from csat.kafka.tokens import token_provider

CONTACT_MILLISECONDS = 10_000


def connection_options(settings: Settings) -> dict[str, Any]:
    """Addresses, protocol and login for kafka-python's clients; create these within `first_contact`."""
    options: dict[str, Any] = {
        "bootstrap_servers": addresses_of(settings),
        "security_protocol": settings.kafka_security_protocol,
        "kafka_client": client,
    }
    access = access_of(settings)
    if access is Access.PLAINTEXT:
        return options
    options["sasl_mechanism"] = settings.kafka_sasl_mechanism
    options["ssl_cafile"] = str(settings.kafka_ca_file) if settings.kafka_ca_file else None
    if access is not Access.PASSWORD:
        return options | {"sasl_oauth_token_provider": token_provider(settings)}
    return options | {
        "sasl_plain_username": settings.kafka_username,
        "sasl_plain_password": settings.kafka_password.get_secret_value(),
    }


def open_admin(settings: Settings) -> KafkaAdminClient:
    """An open admin client. Raises KafkaAccessError within 10 s, or at once if refused."""
    waits = {"bootstrap_timeout_ms": CONTACT_MILLISECONDS, "request_timeout_ms": CONTACT_MILLISECONDS}
    with first_contact(settings):
        return KafkaAdminClient(**connection_options(settings), **waits)


def open_consumer(settings: Settings) -> KafkaConsumer:
    """An open consumer of committed records, in no group. Raises KafkaAccessError as `open_admin` does."""
    with first_contact(settings):
        return KafkaConsumer(
            **connection_options(settings),
            bootstrap_timeout_ms=CONTACT_MILLISECONDS,
            isolation_level="read_committed",
            enable_auto_commit=False,
            group_id=None,
        )


def check_access(settings: Settings) -> None:
    """Return once a broker has granted access. Raises KafkaAccessError."""
    open_admin(settings).close()
