"""Tables for people. Each takes the document that --json prints, so that both always agree.

A text from a message, a file or a table is never read as markup, and its control characters are shown, not sent.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from csat.contract.terminal import printable

_COLORS = {
    "healthy": "green",
    "idle": "green",
    "starting": "yellow",
    "lagging": "yellow",
    "slow": "yellow",
    "waiting": "yellow",
}
_COLORS |= {"ok": "green", "skipped": "dim", "warning": "yellow"}
_NAME_WIDTH = 16  # characters: a column of text is folded, but never narrower than this, or than its longest text


def login_table(document: Mapping[str, Any]) -> Table:
    """The addresses, and how to log in."""
    login = document["login"]
    lines = {**document["urls"], "user": login["user"], "password": login["password"], "stored in": login["file"]}
    return fields_table("addresses and login", lines)


def rows_table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """The rows with one column for each of their fields."""
    names = list(rows[0]) if rows else []
    return _table(title, names, ([row[name] for name in names] for row in rows))


def fields_table(title: str, document: Mapping[str, Any]) -> Table:
    """A line for each field."""
    return _table(title, ("", "value"), document.items())


def components_table(document: Mapping[str, Any]) -> Table:
    """The components of a status document."""
    components = document["components"].items()
    rows = ([name, _colored(component["state"]), component["url"]] for name, component in components)
    return _table(document["project"], ("component", "state", "url"), rows)


def checks_table(document: Mapping[str, Any]) -> Table:
    """The checks of `csat doctor`."""
    rows = (
        [Text("ok", "green") if check["ok"] else Text("no", "red"), check["name"], check["detail"], check["fix"]]
        for check in document["checks"]
    )
    return _table("doctor", ("", "check", "found", "fix"), rows)


def text_table(
    title: str, heads: Sequence[str], lines: Iterable[Sequence[str]], *, names: Collection[str] = ()
) -> Table:
    """Lines of text; numbers are right-aligned, the columns of `names` left-aligned."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    cells = [[Text(printable(text)) for text in line] for line in lines]
    for number, head in enumerate(heads):
        is_name = head in names
        width = _longest(head, (line[number] for line in cells))
        table.add_column(
            head,
            justify="left" if is_name else "right",
            no_wrap=not is_name,
            overflow="fold",
            min_width=min(width, _NAME_WIDTH) if is_name else width,
        )
    for line in cells:
        table.add_row(*line)
    return table


def health_check_table(document: Mapping[str, Any]) -> Table:
    """The checks of `csat check health`."""
    rows = ([_colored(check["grade"]), check["check"], check["detail"]] for check in document["checks"])
    return _table("health", ("", "check", "found"), rows)


def alerts_table(alerts: Sequence[Mapping[str, Any]]) -> Table:
    """The open alerts."""
    rows = (
        [_colored(alert["severity"]), alert["key"], alert["about"], alert["opened_at"][:16], alert["text"]]
        for alert in alerts
    )
    return _table("open alerts (docs/runbook.md)", ("", "key", "about", "since", "text"), rows)


def _table(title: str, names: Iterable[str], rows: Iterable[Iterable[Any]]) -> Table:
    table = Table(title=title, title_justify="left")
    cells = [[_text(value) for value in row] for row in rows]
    for number, name in enumerate(names):
        head = name.replace("_", " ")
        width = _longest(head, (row[number] for row in cells))
        table.add_column(head, overflow="fold", min_width=min(width, _NAME_WIDTH))
    for row in cells:
        table.add_row(*row)
    return table


def _longest(head: str, texts: Iterable[Text]) -> int:
    """The width of the longest line, in characters of a terminal."""
    return max(Text(head).cell_len, *(line.cell_len for text in texts for line in text.split("\n")), 1)


def _text(value: Any) -> Text:
    if isinstance(value, Text):
        return value
    if value is None:
        return Text("–")
    return Text(f"{value:,.3f}" if isinstance(value, float) else printable(str(value)))


def _colored(state: str) -> Text:
    return Text(state, _COLORS.get(state, "red"))
