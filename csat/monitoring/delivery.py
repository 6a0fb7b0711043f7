"""Alert delivery: the log, the webhook, and a row of csat_ops.alerts. None of them depends on another."""

import logging
from collections.abc import Iterable
from typing import Any

import requests

from csat.bigquery.client import Warehouse, WarehouseError
from csat.bigquery.tables import append_rows
from csat.clients.listening import RefusedError, Server, require_listening
from csat.contract.alerts import Severity
from csat.contract.settings import Settings
from csat.control.open_alerts import Notice

logger = logging.getLogger(__name__)

TABLE = "alerts"
_WEBHOOK_SECONDS = 5


def notify(settings: Settings, notice: Notice) -> None:
    """Log the notice and post it to the webhook, if one is set."""
    is_critical = notice.severity is Severity.CRITICAL and notice.status != "recovered"
    logger.log(logging.ERROR if is_critical else logging.WARNING, "%s", sentence(notice))
    url = settings.alert_webhook_url.get_secret_value().strip()  # a secret from a file ends with a newline
    if url:
        _post(url, webhook_body(notice))


def sentence(notice: Notice) -> str:
    """The notice as one line of text."""
    name = f"{notice.alert_key} ({notice.about})" if notice.about else notice.alert_key.value
    if notice.status == "recovered":
        return f"recovered: {name}: {notice.text}"
    still = f"still open since {notice.opened_at:%Y-%m-%d %H:%M} UTC: " if notice.status == "reminded" else ""
    return f"{notice.severity}: {name}: {still}{notice.text} (docs/runbook.md#{notice.alert_key})"


def webhook_body(notice: Notice) -> dict[str, Any]:
    """The webhook's body: Slack reads `text`; the other fields are for programs."""
    fields = notice.model_dump(mode="json")
    return {**fields, "detail": fields["text"], "text": sentence(notice)}


def _post(url: str, body: dict[str, Any]) -> None:
    try:
        requests.post(url, json=body, timeout=_WEBHOOK_SECONDS).raise_for_status()
    except requests.RequestException as error:
        # The error's message would contain the address, which is a secret
        status = f" ({error.response.status_code})" if error.response is not None else ""
        logger.warning(
            "The webhook of CSAT_ALERT_WEBHOOK_URL did not accept the alert: %s%s", type(error).__name__, status
        )


def record(settings: Settings, notices: Iterable[Notice]) -> bool:
    """Write a row for each notice; False if BigQuery did not accept them."""
    try:
        require_listening(settings, Server.BIGQUERY)
        with Warehouse(settings) as warehouse:
            append_rows(warehouse, TABLE, [notice.model_dump(mode="json") for notice in notices])
    except (RefusedError, WarehouseError) as error:
        logger.warning("Alerts are kept until BigQuery accepts them: %s", error)
        return False
    return True
