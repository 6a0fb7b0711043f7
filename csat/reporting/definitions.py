"""The variables of dbt that the figures depend on, so that the dashboard agrees with the marts."""

import math
from dataclasses import dataclass
from functools import cache

from csat.contract.errors import CsatError
from csat.reporting.variables import mart_variables, window_days


@dataclass(frozen=True)
class Variables:
    """The variables of dbt_project.yml that the figures depend on."""

    z: float
    prior_responses: int
    minimum_responses: int
    minimum_comparison_responses: int
    window_days: dict[str, int]  # by window, shortest first

    @property
    def chance(self) -> float:
        """The share of tests that are significant by chance alone, where nothing differs: 0.05 at 95 %."""
        return math.erfc(self.z / math.sqrt(2))


@cache
def variables() -> Variables:
    """dbt's variables. Raises CsatError."""
    values = mart_variables()
    try:
        return Variables(
            z=float(values["z"]),
            prior_responses=int(values["prior_responses"]),
            minimum_responses=int(values["minimum_responses"]),
            minimum_comparison_responses=int(values["minimum_comparison_responses"]),
            window_days=window_days(),
        )
    except KeyError as error:
        raise CsatError(f"dbt_project.yml has no variable {error}, which the dashboard shows") from error
