"""Results as Markdown and JSON."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def markdown(rows: list[dict[str, Any]]) -> str:
    """A table of rows that have the same keys; numbers to three figures."""
    if not rows:
        return ""
    names = list(rows[0])
    lines = [f"| {' | '.join(name.replace('_', ' ') for name in names)} |", f"|{' --- |' * len(names)}"]
    return "\n".join([*lines, *(f"| {' | '.join(_text(row[name]) for name in names)} |" for row in rows)])


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def write(path: Path, rows: list[dict[str, Any]], **more: Any) -> None:
    """Write the rows as JSON, with the machine, the time and further fields."""
    machine = {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    measured_at = datetime.now(UTC).isoformat(timespec="seconds")
    document = {"measured_at": measured_at, "machine": machine, **more, "results": rows}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")


def fill_in(text: str, parts: dict[str, str]) -> str:
    """The text with each part between its markers, <!-- name --> and <!-- /name -->. Raises KeyError without them."""
    for name, part in parts.items():
        opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, is_open, rest = text.partition(opening)
        _, is_closed, after = rest.partition(closing)
        if not (is_open and is_closed):
            raise KeyError(f"no {opening} … {closing}")
        text = f"{before}{opening}\n{part}\n{closing}{after}"
    return text
