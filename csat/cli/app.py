"""The commands. Each imports the part that does its work when it is called."""

from importlib.metadata import version as installed_version
from typing import Annotated

import typer

from csat.cli import alerts, dashboard, erase, health, landing, logs, maintain, marts, rejected, simulate, stack, stream

_HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}  # every command takes them from this one

app = typer.Typer(
    help="Real-time customer satisfaction.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings=_HELP_OPTIONS,
)


def _print_version(is_requested: bool) -> None:
    if is_requested:
        print(installed_version("csat"))
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options of `csat` itself."""


for command in (stack.up, stack.down, stack.restart, stack.reset, stack.status, stack.doctor):
    app.command()(command)
app.command("open")(stack.open_page)
app.command("logs")(logs.logs)
app.command()(simulate.simulate)
app.command()(stack.demo)
app.command()(stack.password)
app.command()(landing.migrate_landing)
app.command()(erase.erase)
app.command()(dashboard.dashboard_link)
app.add_typer(health.check, name="check")
app.add_typer(alerts.app, name="alerts")
app.add_typer(marts.app, name="marts")
app.add_typer(rejected.app, name="rejected")
app.add_typer(maintain.app, name="maintain")
app.add_typer(stream.app, name="stream")
