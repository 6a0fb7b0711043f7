"""report.yaml as values: what the report in Data Studio shows, from which marts, and what checks each chart."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from csat.settings import ROOT
from dashboard.queries import Query
from warehouse.mart_variables import ranking_window

_REPORT = Path(__file__).parent / "report.yaml"
_MODELS = ROOT / "dbt" / "models"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Part):
    """A data source of the template: its mart, the date that filters it, and whether that is the partition."""

    mart: str
    date: str
    is_partitioned: bool = False


class Calculated(_Part):
    """A calculated field: Data Studio's formula, and how it is written."""

    formula: str
    format: Literal["percent", "count", "points"]


class Place(_Part):
    """Where the local board shows a number: a card, or the first row of a table in one of its columns."""

    page: str
    format: Literal["percent", "count", "points"]
    filters: dict[str, str] = Field(default_factory=dict)
    card: str = ""
    table: str = ""
    column: int = 0

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if bool(self.card) == bool(self.table):
            raise ValueError("a place is a card or a table")
        return self


class Chart(_Part):
    """A chart: what it draws, of which rows, and the query for the number that it shows first."""

    id: str
    page: str
    kind: Literal["scorecard", "table", "bar", "stacked column", "line"]
    source: str
    metrics: list[str]
    dimensions: list[str] = Field(default_factory=list)
    sort: str = ""
    filter: str
    controls: list[str] = Field(default_factory=list)
    check: str
    board: Place

    @property
    def query(self) -> Query:
        """The check, with the parameter board_date; its one row has the column figure."""
        return Query(self.check)


class Report(_Part):
    """The whole report."""

    sources: dict[str, Source]
    plain: str
    fields: dict[str, Calculated]
    charts: list[Chart]


@cache
def report() -> Report:
    """The report of report.yaml; {window} there is the ranking's window."""
    return Report.model_validate(yaml.safe_load(_REPORT.read_text().replace("{window}", ranking_window())))


@cache
def mart_columns(mart: str) -> Mapping[str, str]:
    """The columns of a mart's contract with their types, in dbt's words."""
    [model] = yaml.safe_load((_MODELS / "marts" / f"{mart}.yml").read_text())["models"]
    return {column["name"]: column["data_type"] for column in model["columns"]}


@cache
def exposed_marts() -> frozenset[str]:
    """The marts that dbt's exposures name: whoever changes one of them finds the report behind it."""
    exposures: list[dict[str, Any]] = yaml.safe_load((_MODELS / "exposures.yml").read_text())["exposures"]
    return frozenset(ref.split("'")[1] for exposure in exposures for ref in exposure["depends_on"])
