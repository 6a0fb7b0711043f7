"""What the figures mean: dbt's own words and numbers, so that the board never says anything else than the marts."""

import re
from dataclasses import dataclass
from functools import cache

from csat.settings import ROOT
from warehouse.mart_variables import mart_variables, window_days

_COLUMNS = ROOT / "dbt" / "models" / "columns.md"
_BLOCK = re.compile(r"{% docs (\w+) %}\s*(.*?)\s*{% enddocs %}", re.DOTALL)


class DefinitionsError(Exception):
    """dbt's files do not hold a definition; the message names it and the file."""


@dataclass(frozen=True)
class Variables:
    """The variables of dbt_project.yml that figures depend on."""

    z: float
    prior_answers: int
    minimum_answers: int
    minimum_comparison_answers: int
    window_days: dict[str, int]  # by window, shortest first


@cache
def variables() -> Variables:
    """dbt's variables. Raises DefinitionsError."""
    values = mart_variables()
    try:
        return Variables(
            z=float(values["z"]),
            prior_answers=int(values["prior_answers"]),
            minimum_answers=int(values["minimum_answers"]),
            minimum_comparison_answers=int(values["minimum_comparison_answers"]),
            window_days=window_days(),
        )
    except KeyError as error:
        raise DefinitionsError(f"dbt_project.yml has no variable {error}, which the board shows") from error


def definition(column: str) -> str:
    """What a column means, in the words of dbt's documentation. Raises DefinitionsError."""
    try:
        return _definitions()[column]
    except KeyError as error:
        raise DefinitionsError(f"{_COLUMNS} does not describe {column}: add a docs block") from error


@cache
def _definitions() -> dict[str, str]:
    return {name: " ".join(text.split()) for name, text in _BLOCK.findall(_COLUMNS.read_text())}
