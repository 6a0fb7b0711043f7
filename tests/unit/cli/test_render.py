"""What a message, a file or a table holds is printed as text: no terminal obeys it, and no markup changes it."""

import io
from collections.abc import Mapping
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from csat.cli.output import say
from csat.cli.render import checks_table, rows_table, text_table
from csat.cli.render_marts import agents_table

HOSTILE = "\x1b]0;title\x07\x1b[2J\x9b31mAda\r\u202eevil\x00[bold]x[/] [/nothing]"
SHOWN = r"\x1b]0;title\x07\x1b[2J\x9b31mAda\r\u202eevil\x00[bold]x[/] [/nothing]"
AGENT: Mapping[str, Any] = {
    "agent_name": HOSTILE,
    **dict.fromkeys(("leaderboard_rank", "rank_change", "tier", "response_count", "responses_missing"), 1),
    **dict.fromkeys(("csat_rate", "wilson_low", "wilson_high", "adjusted_csat_rate"), 0.5),
    **dict.fromkeys(("window_start", "window_end")),
    "is_ranked": True,
}


def printed(table: Table) -> str:
    """What a terminal would get, without the breaks of lines."""
    file = io.StringIO()
    Console(file=file, width=400, highlight=False).print(table)
    return file.getvalue()


@pytest.mark.parametrize(
    "table",
    [
        rows_table("rejected", [{"payload": HOSTILE}]),
        text_table("names", ("name",), [(HOSTILE,)], names=("name",)),
        checks_table({"checks": [{"ok": True, "name": "n", "detail": HOSTILE, "fix": ""}]}),
        agents_table([AGENT]),
    ],
)
def test_table_shows_control_characters_and_markup_as_text(table: Table) -> None:
    text = printed(table)
    assert SHOWN in text
    assert set(text).isdisjoint("\x00\x07\x1b\x9b\r\u202e")


def test_message_shows_control_characters_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"error: {HOSTILE}\nnext \ud800")
    assert capsys.readouterr().err == f"error: {SHOWN}\nnext \\ud800\n"


def test_half_of_a_surrogate_pair_can_be_printed() -> None:
    assert r"\udcff" in printed(rows_table("names", [{"name": "\udcff"}]))
