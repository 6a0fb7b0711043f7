"""Statements kept as `.sql` files in the folder `sql` beside their module, with named parameters.

A statement names its tables by the role of their dataset, such as `marts.response_series`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

from csat.bigquery.client import Warehouse
from csat.contract.settings import DatasetRole, Settings

Rows = list[dict[str, Any]]

_TABLE = re.compile(r"\b(raw|candidate|marts|ops)\.(\w+)")


@dataclass(frozen=True)
class Query:
    """A statement."""

    text: str

    @classmethod
    def read(cls, module: str, name: str) -> Self:
        """The statement `sql/<name>.sql` beside the module of this file."""
        return cls((Path(module).parent / "sql" / f"{name}.sql").read_text())

    def filled(self, **values: str) -> Self:
        """The statement with `{{ name }}` replaced by the value of that name: what a parameter cannot stand for."""
        text = self.text
        for name, value in values.items():
            text = text.replace(f"{{{{ {name} }}}}", value)
        return type(self)(text)

    def sql(self, settings: Settings) -> str:
        """The statement with full table names."""
        return _TABLE.sub(lambda found: f"`{settings.table(cast('DatasetRole', found[1]), found[2])}`", self.text)

    def tables(self, role: DatasetRole) -> set[str]:
        """The tables that the statement reads in this dataset."""
        return {name for found, name in _TABLE.findall(self.text) if found == role}

    def rows(self, warehouse: Warehouse, **parameters: Any) -> Rows:
        """The rows. Raises WarehouseError."""
        return warehouse.rows(self.sql(warehouse.settings), **parameters)
