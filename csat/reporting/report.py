"""report.yaml as values: the charts of the report in Data Studio, their marts, and a check for each."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from csat.bigquery.query import Query
from csat.contract.settings import ROOT
from csat.reporting.variables import ranking_window

EXPOSURE = "data_studio_report"

_REPORT = Path(__file__).parent / "report.yaml"
_MODELS = ROOT / "dbt" / "models"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Part):
    """A data source of the template: its mart, the date that filters it, and whether that is the partition column."""

    mart: str
    date: str
    is_partitioned: bool = False


class Calculated(_Part):
    """A calculated field: Data Studio's formula, and its format."""

    formula: str
    format: Literal["percent", "count", "points"]


class Place(_Part):
    """Where the dashboard shows a number: on a card, or in a column of the first row of a table."""

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
    """A chart: what it shows, of which rows, and the query for the first number that it shows."""

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
    dashboard: Place

    @property
    def query(self) -> Query:
        """The check, with the parameter as_of_date; it returns one row with the column figure."""
        return Query(self.check)


class Report(_Part):
    """The whole report."""

    sources: dict[str, Source]
    plain: str
    fields: dict[str, Calculated]
    charts: list[Chart]


@cache
def report() -> Report:
    """The report of report.yaml; {window} there stands for the default window of the rankings."""
    return Report.model_validate(yaml.safe_load(_REPORT.read_text().replace("{window}", ranking_window())))


@cache
def mart_columns(mart: str) -> Mapping[str, str]:
    """The columns of a mart's contract with their types, as dbt names them."""
    [model] = yaml.safe_load((_MODELS / "marts" / f"{mart}.yml").read_text())["models"]
    return {column["name"]: column["data_type"] for column in model["columns"]}


@cache
def exposed_marts() -> frozenset[str]:
    """The marts that the report's exposure in dbt names, so that a change of one of them points to the report."""
    exposures: list[dict[str, Any]] = yaml.safe_load((_MODELS / "exposures.yml").read_text())["exposures"]
    [marts] = [exposure["depends_on"] for exposure in exposures if exposure["name"] == EXPOSURE]
    return frozenset(ref.split("'")[1] for ref in marts)
