"""Where an alert goes: the log, the webhook, and a row of csat_ops.alerts. None of them fails for want of another."""

import logging
from collections.abc import Iterable
from typing import Any

import requests

from csat.alerts import Severity
from csat.settings import Settings
from csat.watch import Notice
from warehouse.client import Warehouse, WarehouseError
from warehouse.tables import append_rows

logger = logging.getLogger(__name__)

TABLE = "alerts"
_WEBHOOK_SECONDS = 5


def tell(settings: Settings, notice: Notice) -> None:
    """Log the notice and post it to the webhook, where there is one."""
    is_critical = notice.severity is Severity.CRITICAL and notice.status != "recovered"
    logger.log(logging.ERROR if is_critical else logging.WARNING, "%s", sentence(notice))
    url = settings.alert_webhook_url.get_secret_value()
    if url:
        _post(url, webhook_body(notice))


def sentence(notice: Notice) -> str:
    """The notice as people read it."""
    name = f"{notice.alert_key} ({notice.about})" if notice.about else notice.alert_key.value
    if notice.status == "recovered":
        return f"recovered: {name}: {notice.text}"
    still = f"still, since {notice.opened_at:%Y-%m-%d %H:%M} UTC: " if notice.status == "reminded" else ""
    return f"{notice.severity}: {name}: {still}{notice.text} (docs/runbook.md#{notice.alert_key})"


def webhook_body(notice: Notice) -> dict[str, Any]:
    """What the webhook gets: `text` is all that Slack reads, the rest is for programs."""
    fields = notice.model_dump(mode="json")
    return {**fields, "detail": fields["text"], "text": sentence(notice)}


def _post(url: str, body: dict[str, Any]) -> None:
    try:
        requests.post(url, json=body, timeout=_WEBHOOK_SECONDS).raise_for_status()
    except requests.RequestException as error:
        # Its words would hold the address, which is a secret
        status = f" ({error.response.status_code})" if error.response is not None else ""
        logger.warning(
            "The webhook of CSAT_ALERT_WEBHOOK_URL did not take the alert: %s%s", type(error).__name__, status
        )


def record(settings: Settings, notices: Iterable[Notice]) -> bool:
    """Write a row for each notice; False where BigQuery did not take them."""
    try:
        with Warehouse(settings) as warehouse:
            append_rows(warehouse, TABLE, [notice.model_dump(mode="json") for notice in notices])
    except WarehouseError as error:
        logger.warning("Alerts are kept until BigQuery takes them: %s", error)
        return False
    return True
