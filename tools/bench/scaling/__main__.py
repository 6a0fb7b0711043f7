"""Print the tables, or a document with them inserted: `python -m tools.bench.scaling [docs/scaling.md]`."""

import argparse
from pathlib import Path

from tools.bench.results import fill_in
from tools.bench.scaling.figures import cloud_settings, figures
from tools.bench.scaling.tables import limits_table, load_table


def main() -> None:
    """Print the tables or the document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("document", nargs="?", type=Path)
    document = parser.parse_args().document
    found, settings = figures(), cloud_settings()
    rate = (
        "measured here" if found.is_measured else "assumed by `csat/cloud/costs.py` until `make bench-stream` was run"
    )
    basis = (
        f"{found.rows_a_core_second:,.0f} rows a core and second ({rate}), {found.message_bytes:,.0f} bytes a message, "
        f"{found.bytes_of():,.0f} bytes a landed row, and {found.peak:.2f} times the mean in the busiest hour."
    )
    tables = {"basis": basis, "asks": load_table(found, settings), "limits": limits_table(found, settings)}
    if document is None:
        print("\n\n".join(tables.values()))
    else:
        print(fill_in(document.read_text(), tables), end="")


if __name__ == "__main__":
    main()
