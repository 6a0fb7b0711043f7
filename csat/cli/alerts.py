"""`csat alerts …`: which alerts are open, and alerts that a program or a person raises and resolves."""

from typing import Annotated

import typer

from csat.cli.output import Json, report, say
from csat.contract.alerts import ALERTS, AlertKey, Severity
from csat.contract.settings import get_settings

app = typer.Typer(help="Alerts: list, raise, resolve.", no_args_is_help=True)

Key = Annotated[AlertKey, typer.Argument(help="A key of csat/contract/alerts.py.", metavar="KEY")]
About = Annotated[str, typer.Option(help="What the alert is about, such as a DAG.")]


@app.command("list")
def list_(is_json: Json = False) -> None:
    """List the open alerts."""
    from csat.cli.render import alerts_table
    from csat.control.state_files import StateFiles

    alert_state = StateFiles(get_settings().state_files).alert_state()
    rows = [alert.model_dump(mode="json") for alert in alert_state.open_alerts]
    report(rows, is_json, alerts_table(rows) if rows else "no open alerts")


@app.command("raise")
def raise_(
    key: Key,
    text: Annotated[str, typer.Argument(help="What was found.")],
    severity: Annotated[Severity | None, typer.Option(help="Default: the severity of the key.")] = None,
    about: About = "",
) -> None:
    """Raise an alert. It is sent once, and again as a reminder while it is open."""
    from csat.monitoring.alerts import Alerts

    if not Alerts(get_settings()).alert(severity or ALERTS[key].severity, key, text, about):
        say(f"nothing to send: {_named(key, about)} is open and was sent before")


@app.command()
def resolve(
    key: Key, text: Annotated[str, typer.Argument(help="Why it is resolved.")] = "resolved by hand", about: About = ""
) -> None:
    """Resolve an open alert, and send that it is resolved."""
    from csat.monitoring.alerts import Alerts

    if not Alerts(get_settings()).recover(key, text, about):
        say(f"nothing to send: {_named(key, about)} is not open")


def _named(key: AlertKey, about: str) -> str:
    return f"{key} ({about})" if about else key
