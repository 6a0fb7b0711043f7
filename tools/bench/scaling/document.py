"""The parts of docs/scaling.md that `make generated` writes."""

from tools.bench.scaling.figures import cloud_settings, figures
from tools.bench.scaling.tables import limits_table, load_table


def document_parts() -> dict[str, str]:
    """The basis and both tables, by the names of their markers in the document."""
    found, settings = figures(), cloud_settings()
    rate = (
        "measured here"
        if found.is_measured
        else "assumed by `csat/cloud/costs.py` until `make bench NAME=stream` was run"
    )
    basis = (
        f"{found.rows_a_core_second:,.0f} rows a core and second ({rate}), {found.message_bytes:,.0f} bytes a message, "
        f"{found.bytes_of():,.0f} bytes a landed row, and {found.peak:.2f} times the mean in the busiest hour."
    )
    return {"basis": basis, "asks": load_table(found, settings), "limits": limits_table(found, settings)}
