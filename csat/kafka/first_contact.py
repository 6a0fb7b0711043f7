"""The first connection to Kafka: it stops at a refusal, with a one-line error that names the fix.

kafka-python itself retries a refused login until its timeout, and reports the reason only in its log.
"""

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka.errors import (
    IllegalSaslStateError,
    InvalidReceiveError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)
from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaTCPTransport

from csat.contract.kafka_access import Access, KafkaAccessError, KafkaRefusedError, access_of, variables
from csat.contract.settings import Settings

_LOGIN_ERRORS = (SaslAuthenticationFailedError, UnsupportedSaslMechanismError, IllegalSaslStateError)
# A broker with TLS sends an alert to a client without and hangs up; kafka-python often sees only the hang-up.
_MAX_HANG_UPS = 4
_HOST_MISMATCH, _ADDRESS_MISMATCH = 62, 64  # of X509_V_ERR
_CONNECTION_LOGGERS = ("kafka.net.manager", "kafka.net.connection", "kafka.net.transport", "kafka.net.inet")


class _Manager(KafkaConnectionManager):  # type: ignore[misc]
    """Stops the first connection at a refusal; a client that has connected once retries as kafka-python does."""

    def __init__(self, net: NetworkSelector, **config: Any) -> None:
        super().__init__(net, **config)
        self._has_connected = False
        self._last_error: BaseException | None = None
        self._refusal: BaseException | None = None
        self._hang_ups = 0

    def get_connection(self, node_id: Any, **options: Any) -> Any:
        if self._refusal is not None:
            raise self._refusal
        connection = super().get_connection(node_id, **options)
        if not self._has_connected:
            connection.init_future.add_errback(self._note)
        return connection

    async def _build_transport(self, node: Any, timeout_at: float | None = None) -> KafkaTCPTransport:
        transport = await super()._build_transport(node, timeout_at)
        read_before_close(transport)
        return transport

    def bootstrap(self, timeout_ms: float | None = None, refresh: bool = True) -> None:
        try:
            super().bootstrap(timeout_ms, refresh)
            self._has_connected, self._refusal = True, None
        except KafkaTimeoutError as error:
            self._net.stop()
            raise error from self._last_error
        except BaseException:
            self._net.stop()
            raise

    def _note(self, error: BaseException) -> None:
        if not isinstance(error, KafkaTimeoutError):
            self._last_error = error
        self._hang_ups += _is_hang_up(error)
        if _is_final(error):
            self._refusal = error
        elif self.config["security_protocol"] == "PLAINTEXT" and self._hang_ups == _MAX_HANG_UPS:
            self._refusal = InvalidReceiveError(str(error))


def read_before_close(transport: KafkaTCPTransport) -> None:
    """Make the transport deliver data that arrives together with the broker's hang-up: the reason of a refusal.

    kafka-python drops it, which is common on a busy machine or with a broker that hangs up quickly.
    """
    receive = transport._sock_recv

    def received_first() -> tuple[bytes, Exception | None]:
        received, error = receive()
        return received, None if received else error

    transport._sock_recv = received_first


def client(**config: Any) -> KafkaNetClient:
    """kafka-python's network client for its option `kafka_client`."""
    net = NetworkSelector(**config)
    return KafkaNetClient(net, _Manager(net, **config), **config)


@contextmanager
def first_contact(settings: Settings) -> Iterator[None]:
    """While a client is created: mutes its log, and turns its error into a KafkaAccessError."""
    with _quiet_log():
        try:
            yield
        except (KafkaError, OSError, KafkaAccessError) as error:
            raise explained(settings, error) from error


def explained(settings: Settings, error: BaseException) -> KafkaAccessError:
    """The error with a message that names the settings."""
    cause = (error.__cause__ if isinstance(error, KafkaTimeoutError) else None) or error
    if isinstance(cause, KafkaAccessError):
        return cause
    servers = settings.bootstrap_servers
    if isinstance(cause, _LOGIN_ERRORS):
        access = access_of(settings)
        names = variables(access) if access is Access.OIDC else f"{variables(access)}, CSAT_KAFKA_SASL_MECHANISM"
        return KafkaRefusedError(f"Kafka at {servers} refused the login ({_text(cause)}): check {names}.")
    tls = _tls_error(cause)
    if isinstance(tls, ssl.SSLCertVerificationError):
        return KafkaRefusedError(
            f"Kafka at {servers} shows a certificate that is not trusted: {_certificate_advice(tls)}"
        )
    if isinstance(cause, InvalidReceiveError) or isinstance(tls, ssl.SSLEOFError | ConnectionResetError):
        return KafkaRefusedError(
            f"Kafka at {servers} does not speak {settings.kafka_security_protocol}: correct "
            "CSAT_KAFKA_SECURITY_PROTOCOL, or the port in CSAT_KAFKA_BOOTSTRAP_SERVERS."
        )
    if tls is not None:
        return KafkaRefusedError(
            f"No TLS with Kafka at {servers} ({tls}): check CSAT_KAFKA_CA_FILE={settings.kafka_ca_file}."
        )
    return KafkaAccessError(
        f"No Kafka broker responds at {servers} ({_text(cause)}): start the stack with `csat up`, or correct "
        "CSAT_KAFKA_BOOTSTRAP_SERVERS and CSAT_KAFKA_SECURITY_PROTOCOL."
    )


def _is_final(error: BaseException) -> bool:
    refusals = (*_LOGIN_ERRORS, KafkaRefusedError, InvalidReceiveError)
    return isinstance(error, refusals) or _tls_error(error) is not None


def _is_hang_up(error: BaseException) -> bool:
    return isinstance(error, KafkaConnectionError) and "socket disconnected" in str(error)


def _tls_error(error: BaseException) -> BaseException | None:
    """The error of the TLS handshake or the CA file; kafka-python keeps it as the context."""
    for one in (error, error.__context__):
        if isinstance(
            one, ssl.SSLError | ConnectionResetError | FileNotFoundError | PermissionError | IsADirectoryError
        ):
            return one
    return None


def _certificate_advice(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in (_HOST_MISMATCH, _ADDRESS_MISMATCH):
        return f"{error.verify_message} Name the brokers in CSAT_KAFKA_BOOTSTRAP_SERVERS as their certificate does."
    return f"{error.verify_message}. Set CSAT_KAFKA_CA_FILE to the PEM file of the CA that signed it."


def _text(error: BaseException) -> str:
    return str(error).strip() or type(error).__name__


@contextmanager
def _quiet_log() -> Iterator[None]:
    def silence(record: logging.LogRecord) -> bool:
        return False

    loggers = [logging.getLogger(name) for name in _CONNECTION_LOGGERS]
    for logger in loggers:
        logger.addFilter(silence)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(silence)
