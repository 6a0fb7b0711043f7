"""What kafka-python needs to reach the brokers that the settings name: for the producer and for the probes."""

from typing import Any

from csat.settings import Settings


def connection_options(settings: Settings) -> dict[str, Any]:
    """Addresses, protocol and login as kafka-python's clients take them."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers.split(","),
        "security_protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol == "PLAINTEXT":
        return options
    return options | {
        "sasl_mechanism": settings.kafka_sasl_mechanism,
        "sasl_plain_username": settings.kafka_username,
        "sasl_plain_password": settings.kafka_password.get_secret_value(),
        "ssl_cafile": str(settings.kafka_ca_file) if settings.kafka_ca_file else None,
    }
