"""Print the tables, or a document with them in their places: `python -m bench.scaling [docs/scaling.md]`."""

import argparse
import sys
from pathlib import Path

from bench.results import fill_in
from bench.scaling.figures import NotMeasuredError, cloud_settings, figures
from bench.scaling.tables import asks_table, limits_table


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("document", nargs="?", type=Path)
    document = parser.parse_args().document
    try:
        measured, settings = figures(), cloud_settings()
    except NotMeasuredError as error:
        sys.exit(f"error: {error}")
    basis = (
        f"{measured.rows_a_core_second:,.0f} rows a core and second, {measured.message_bytes:,.0f} bytes a message, "
        f"{measured.bytes_of():,.0f} bytes a landed row, {measured.peak:.2f} times the mean in the busiest hour."
    )
    tables = {"asks": asks_table(measured, settings), "limits": limits_table(measured, settings), "basis": basis}
    if document is None:
        print("\n\n".join(tables.values()))
    else:
        print(fill_in(document.read_text(), tables), end="")


if __name__ == "__main__":
    main()
