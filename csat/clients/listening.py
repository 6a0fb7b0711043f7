"""Whether anything listens where a server should: a refused connection is known at once, and needs no retries."""

import socket
from enum import StrEnum
from urllib.parse import urlsplit

from csat.contract.errors import CsatError
from csat.contract.kafka_access import addresses_of
from csat.contract.settings import Settings

_CONNECT_SECONDS = 1


class Server(StrEnum):
    """A server that a command may need."""

    KAFKA = "Kafka"
    BIGQUERY = "BigQuery"
    AIRFLOW = "Airflow"
    DASHBOARD = "the dashboard"


_SETTINGS = {
    Server.KAFKA: "CSAT_KAFKA_BOOTSTRAP_SERVERS",
    Server.BIGQUERY: "CSAT_BIGQUERY_ENDPOINT",
    Server.AIRFLOW: "CSAT_AIRFLOW_URL",
    Server.DASHBOARD: "CSAT_DASHBOARD_URL",
}


class RefusedError(CsatError):
    """Nothing listens at the address of a server."""


def require_listening(settings: Settings, *servers: Server) -> None:
    """Raise RefusedError for the first server of which every address refuses connections.

    An address that gives no answer within a second is left to the server's client, which retries.
    """
    for server in servers:
        found = addresses(settings, server)
        if found and all(map(_is_refused, found)):
            raise RefusedError(
                f"{server} refuses connections at {', '.join(found)}",
                f"start the stack with `csat up`, or correct {_SETTINGS[server]}",
            )


def addresses(settings: Settings, server: Server) -> list[str]:
    """The addresses of a server; none for Google's BigQuery, and on Google Cloud where none is set."""
    match server:
        case Server.KAFKA:
            return addresses_of(settings)
        case Server.BIGQUERY:
            return [settings.endpoint] if settings.endpoint else []
        case Server.AIRFLOW:
            return [settings.airflow] if settings.is_local or settings.airflow_url else []
        case Server.DASHBOARD:
            return [settings.dashboard] if settings.is_local or settings.dashboard_url else []


def _is_refused(address: str) -> bool:
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), _CONNECT_SECONDS):
            return False
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
