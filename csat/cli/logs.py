"""`csat logs`: what the programs of the stack wrote."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from csat.cli.names import program_names
from csat.contract.settings import get_settings

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def logs(
    component: Annotated[
        str | None, typer.Argument(help="kafka, stream, …; default: all.", autocompletion=program_names)
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("-n", min=0, help="Number of last lines of each program.")] = 20,
    since: Annotated[str, typer.Option(help="All lines since then instead: 30s, 10m, 2h or 1d ago.")] = "",
) -> None:
    """Print what the programs of the stack wrote; of all programs, each line with the name of its program."""
    moment = datetime.now(UTC) - _ago(since) if since else None
    from csat.local import logs as read

    settings = get_settings()
    for line in read.read(settings, component, lines, moment):
        print(line)
    if follow:
        for line in read.follow(settings, component):
            print(line, flush=True)


def _ago(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,5})([smhd])", text.strip())
    if not found:
        raise typer.BadParameter(f"{text!r} is no duration: give 30s, 10m, 2h or 1d", param_hint="--since")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
