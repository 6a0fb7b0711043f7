"""The one-machine stack: start, stop, state, addresses."""

from enum import StrEnum
from typing import Annotated

import typer

from csat.cli.output import Json, report, say
from csat.cli.servers import AIRFLOW, DASHBOARD, settings_with
from csat.clients.listening import addresses
from csat.contract.errors import CsatError
from csat.contract.settings import get_settings

WithAirflow = Annotated[bool, typer.Option("--airflow/--no-airflow", help="Start Airflow too, which runs the stream.")]
WithDashboard = Annotated[bool, typer.Option("--dashboard/--no-dashboard", help="Start the dashboard too.")]


class Page(StrEnum):
    """What `csat open` shows."""

    DASHBOARD = "dashboard"
    AIRFLOW = "airflow"


def up(airflow: WithAirflow = True, dashboard: WithDashboard = True) -> None:
    """Start the stack on this machine; returns when every service is ready."""
    from csat.local import stack

    stack.up(get_settings(), say, has_airflow=airflow, has_dashboard=dashboard)


def down() -> None:
    """Stop the stack: the stream after its batch, then the rest. The data stays."""
    from csat.local import stack

    stack.down(get_settings(), say)


def restart(airflow: WithAirflow = True, dashboard: WithDashboard = True) -> None:
    """Stop the stack and start it again; the options are those of `up`. The data stays."""
    from csat.local import stack

    stack.restart(get_settings(), say, has_airflow=airflow, has_dashboard=dashboard)


def reset(yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False) -> None:
    """Stop the stack and delete its state folder: data, logs and passwords."""
    from csat.local import stack

    settings = get_settings()
    if not yes:
        typer.confirm(f"Delete {settings.state} with all data in it?", abort=True, err=True)
    stack.reset(settings, say)


def status(is_json: Json = False) -> None:
    """Show what runs; exits with 0 only when everything is healthy."""
    from csat.cli.render import components_table, fields_table
    from csat.cli.verdicts import status_verdict
    from csat.local.status import is_healthy
    from csat.local.status import status as query

    document = query(get_settings())
    parts = [fields_table(part, document[part]) for part in ("stream", "landing", "marts")]
    report(document, is_json, components_table(document), *parts, status_verdict(document, is_healthy(document)))
    if not is_healthy(document):
        raise typer.Exit(1)


def doctor(is_json: Json = False) -> None:
    """Check what the stack needs, the topic and the landing table; exits with 0 only when nothing is missing."""
    from csat.cli.render import checks_table
    from csat.cli.verdicts import doctor_verdict
    from csat.local.doctor import checks as run_checks
    from csat.local.doctor import landing_check, topic_check

    settings = get_settings()
    found = [*run_checks(settings), topic_check(settings), landing_check(settings)]
    document = {"checks": [{"name": one.name, "ok": one.is_ok, "detail": one.detail, "fix": one.fix} for one in found]}
    report(document, is_json, checks_table(document), doctor_verdict(document))
    if not all(one.is_ok for one in found):
        raise typer.Exit(1)


def open_page(page: Annotated[Page, typer.Argument(help="What to open.")]) -> None:
    """Open the dashboard, or Airflow, in the browser; without a browser, print the address."""
    server = DASHBOARD if page is Page.DASHBOARD else AIRFLOW
    known = addresses(settings_with(server), server)
    if not known:
        raise CsatError(f"the address of {page} is not known", f"set CSAT_{page.name}_URL")
    import webbrowser

    [address] = known
    if not webbrowser.open(address):
        say("there is no browser here; the address:")
    print(address)


def demo() -> None:
    """Start everything, send 30 days of history and then live responses, and show what the marts hold."""
    from csat.cli.render import login_table
    from csat.cli.render_marts import agents_table, categories_table, series_table
    from csat.local.demo import demo as show_all

    document = show_all(get_settings(), say)
    rankings = [agents_table(document["agents"]), categories_table(document["categories"])]
    report(document, False, *rankings, series_table(document["days"], "day"), login_table(document))
    say("The stack keeps running: csat status shows its state, csat down stops it.")


def password() -> None:
    """Print the password of Airflow's user, admin."""
    from csat.clients import airflow_api

    print(airflow_api.password(get_settings()))
