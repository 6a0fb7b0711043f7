"""What a person has chosen by name: an unknown name is an error that suggests a known one, never an empty result."""

from datetime import date

from csat.bigquery.client import Warehouse
from csat.bigquery.query import Rows
from csat.contract.choices import unknown_name
from csat.reporting.queries import CHOICES
from csat.reporting.search import is_match


def require_known(warehouse: Warehouse, first: date, last: date, **chosen: str) -> None:
    """Raise CsatError for a channel or a category that no response from `first` to `last` has; empty means all."""
    if not any(chosen.values()):
        return
    rows = CHOICES.rows(warehouse, since=first, until=last)
    for kind, name in chosen.items():
        known = {row[kind] for row in rows}
        if name and name not in known:
            raise unknown_name(kind, name, known)


def matching(rows: Rows, agent: str) -> Rows:
    """The rows of the agents with this id or name, found as the dashboard finds them; all for an empty text.

    Raises CsatError if there is none.
    """
    found = [row for row in rows if is_match(agent, row["agent_name"], row["agent_id"])] if agent else rows
    if agent and not found:
        raise unknown_name("agent", agent, {row["agent_name"] for row in rows})
    return found
