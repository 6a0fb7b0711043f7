"""Tables for people. Each takes the same document that --json prints, so that both always say the same."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table

_COLORS = {"healthy": "green", "idle": "green", "starting": "yellow", "lagging": "yellow", "slow": "yellow"}
_COLORS |= {"ok": "green", "skipped": "dim", "warning": "yellow"}

# A mart has more columns than a terminal: these, and all with --json
_MART_COLUMNS = {
    "leaderboard": (
        "leaderboard_rank",
        "agent_name",
        "answer_count",
        "csat_rate",
        "wilson_low",
        "wilson_high",
        "tier",
        "previous_rank",
    ),
    "categories": ("volume_rank", "category", "answer_count", "share", "csat_rate", "unhappy_count", "csat_change"),
    "series": ("response_hour", "channel", "category", "answer_count", "csat_rate", "median_response_minutes"),
}


def mart_table(mart: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """The main columns of a mart's rows."""
    return rows_table(mart, [{name: row[name] for name in _MART_COLUMNS[mart]} for row in rows])


def login_table(document: Mapping[str, Any]) -> Table:
    """Where to look, and how to log in."""
    login = document["login"]
    lines = {**document["urls"], "user": login["user"], "password": login["password"], "kept in": login["file"]}
    return fields_table("look", lines)


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
        ["[green]ok[/]" if check["ok"] else "[red]no[/]", check["name"], check["detail"], check["fix"]]
        for check in document["checks"]
    )
    return _table("doctor", ("", "check", "found", "fix"), rows)


def look_table(document: Mapping[str, Any]) -> Table:
    """The checks of `csat check health`."""
    rows = ([_colored(check["grade"]), check["check"], check["detail"]] for check in document["checks"])
    return _table("health", ("", "check", "found"), rows)


def alerts_table(document: Mapping[str, Any]) -> Table:
    """The alerts that stand."""
    rows = (
        [_colored(alert["severity"]), alert["key"], alert["about"], alert["opened_at"][:16], alert["text"]]
        for alert in document["open_alerts"]
    )
    return _table("open alerts (docs/runbook.md)", ("", "key", "about", "since", "text"), rows)


def _table(title: str, names: Iterable[str], rows: Iterable[Iterable[Any]]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in names:
        table.add_column(name.replace("_", " "))
    for row in rows:
        table.add_row(*(_text(value) for value in row))
    return table


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.3f}" if isinstance(value, float) else str(value)


def _colored(state: str) -> str:
    return f"[{_COLORS.get(state, 'red')}]{state}[/]"
