"""The command line. Each command imports the part that does its work when it is called."""

import sys
from collections.abc import Sequence
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import typer

from csat.cli import dashboard as dashboard_commands
from csat.cli import health, landing, maintain, marts, rejected, stream
from csat.cli.output import Json, report, say
from csat.contract.errors import CsatError
from csat.contract.google_errors import google_error
from csat.contract.settings import get_settings
from producer.csv_dates import DateOrder

_INTERRUPTED = 130  # as a shell counts it: 128 + SIGINT

app = typer.Typer(help="Real-time customer satisfaction.", no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(health.alert)
app.command("dashboard-link")(dashboard_commands.dashboard_link)
app.command("migrate-landing")(landing.migrate_landing)
app.add_typer(health.check, name="check")
app.add_typer(marts.app, name="marts")
app.add_typer(rejected.app, name="rejected")
app.add_typer(maintain.app, name="maintain")
app.add_typer(stream.app, name="stream")


@app.command()
def up(
    airflow: Annotated[bool, typer.Option(help="Start Airflow too, which runs the stream.")] = True,
    dashboard: Annotated[bool, typer.Option(help="Start the dashboard too.")] = True,
) -> None:
    """Start the stack on this machine; returns when every service is ready."""
    from csat.local import stack

    stack.up(get_settings(), say, has_airflow=airflow, has_dashboard=dashboard)


@app.command()
def down() -> None:
    """Stop the stack: the stream after its batch, then the rest. The data stays."""
    from csat.local import stack

    stack.down(get_settings(), say)


@app.command()
def reset(yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False) -> None:
    """Stop the stack and delete its state folder: data, logs and passwords."""
    from csat.local import stack

    settings = get_settings()
    if not yes:
        typer.confirm(f"Delete {settings.state} with all data in it?", abort=True, err=True)
    stack.reset(settings, say)


@app.command()
def status(is_json: Json = False) -> None:
    """Show what runs; exits with 0 only when everything is healthy."""
    from csat.cli.render import components_table, fields_table
    from csat.local.status import is_healthy
    from csat.local.status import status as query

    document = query(get_settings())
    parts = [fields_table(part, document[part]) for part in ("stream", "landing", "marts")]
    report(document, is_json, components_table(document), *parts)
    if not is_healthy(document):
        raise typer.Exit(1)


@app.command()
def doctor(is_json: Json = False) -> None:
    """Check what the stack needs, the topic and the landing table; exits with 0 only when nothing is missing."""
    from csat.cli.render import checks_table
    from csat.local.doctor import checks as run_checks
    from csat.local.doctor import landing_check, topic_check

    settings = get_settings()
    found = [*run_checks(settings), topic_check(settings), landing_check(settings)]
    document = {"checks": [{"name": one.name, "ok": one.is_ok, "detail": one.detail, "fix": one.fix} for one in found]}
    report(document, is_json, checks_table(document))
    if not all(one.is_ok for one in found):
        raise typer.Exit(1)


@app.command()
def simulate(
    events: Annotated[int | None, typer.Option(help="Number of events of the history, and of the live stream.")] = None,
    days: Annotated[int | None, typer.Option(help="Send a history of the last N days.")] = None,
    rate: Annotated[float | None, typer.Option(help="Live events per second, until --events or Ctrl-C.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same agents and responses.")] = 1,
    faults: Annotated[str, typer.Option(help="Bad messages: name=rate,…; an unknown name lists all.")] = "",
    truth: Annotated[Path | None, typer.Option(help="Write each agent's true CSAT to this file.")] = None,
    from_csv: Annotated[Path | None, typer.Option(help="Send this CSV file as the history (docs/import.md).")] = None,
    date_order: Annotated[
        DateOrder | None, typer.Option(help="Read the file's dates in this order; default: decided from all of them.")
    ] = None,
    allow_span: Annotated[
        bool, typer.Option("--allow-span", help="Accept dates of the file that span more than a year; default: refuse.")
    ] = False,
    is_json: Json = False,
) -> None:
    """Send survey responses to Kafka; the report says what should land."""
    from csat.cli.render import fields_table
    from producer.faults import parse_fault_rates
    from producer.options import SimulateOptions
    from producer.run import simulate as send

    options = SimulateOptions(
        events=events,
        days=days,
        rate=rate,
        seed=seed,
        faults=parse_fault_rates(faults),
        truth=truth,
        from_csv=from_csv,
        date_order=date_order,
        allow_span=allow_span,
    )
    sent = send(get_settings(), options)
    document = sent.as_dict()
    tables = [fields_table("simulated", {name: value for name, value in document.items() if name != "file"})]
    tables += [fields_table("file", document["file"])] if "file" in document else []
    report(document, is_json, *tables)
    if sent.was_interrupted:
        raise typer.Exit(_INTERRUPTED)


@app.command()
def logs(
    component: Annotated[str | None, typer.Argument(help="kafka, stream, …; default: all.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("-n", help="Number of last lines.")] = 20,
) -> None:
    """Print what the programs of the stack wrote."""
    from csat.local import logs as read

    settings = get_settings()
    if follow and component is None:
        raise typer.BadParameter("--follow needs the name of a component")
    for line in read.read(settings, component, lines):
        print(line)
    if follow and component is not None:
        for line in read.follow(settings, component):
            print(line, flush=True)


@app.command()
def demo() -> None:
    """Start everything, send 30 days of history and then live responses, and show what the marts hold."""
    from csat.cli.render import login_table
    from csat.cli.render_marts import agents_table, categories_table, series_table
    from csat.local.demo import demo as show_all

    document = show_all(get_settings(), say)
    rankings = [agents_table(document["agents"]), categories_table(document["categories"])]
    report(document, False, *rankings, series_table(document["days"], "day"), login_table(document))
    say("The stack keeps running: csat status shows its state, csat down stops it.")


@app.command()
def password() -> None:
    """Print the password of Airflow's user, admin."""
    from csat.clients import airflow_api

    print(airflow_api.password(get_settings()))


@app.command()
def version() -> None:
    """Print the version."""
    print(installed_version("csat"))


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit code of a call.

    A CsatError, or an error of Google's clients, is one line on stderr with its fix; any other exception is a bug and
    keeps its traceback.
    """
    try:
        app(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except CsatError as error:
        say(f"error: {error}")
        return 1
    except Exception as error:
        if (named := google_error(error)) is None:
            raise
        say(f"error: {named}")
        return 1
    return 0


def main() -> None:
    """The entry point of `csat`."""
    # BigQuery's client imports pandas where it is installed: a third of a second that no command needs
    sys.modules["pandas"] = None  # type: ignore[assignment]  # as the import system documents it
    sys.exit(run())


if __name__ == "__main__":
    main()
