"""What BigQuery would read for a statement: the columns that it names, in the partitions that it does not prune.

Both come from the statement itself, with views expanded and predicates pushed down to the tables, as in BigQuery.
Only a comparison of the partition column with constants prunes partitions; clustering is ignored.
Bytes of types, and of DML: https://cloud.google.com/bigquery/pricing#data
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlglot import exp
from sqlglot.optimizer import optimize
from sqlglot.optimizer.pushdown_predicates import pushdown_predicates
from sqlglot.optimizer.pushdown_projections import pushdown_projections
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope

from csat.cloud.costs import SMALLEST_QUERY_BYTES

BYTES = {"BOOL": 1, "BOOLEAN": 1, "DATE": 8, "FLOAT64": 8, "INT64": 8, "NUMERIC": 16, "TIMESTAMP": 8}
TEXT_BYTES = 2  # in addition to its UTF-8 bytes; a null has none
_TEMPORARY = "__dbt_tmp"

Name = tuple[str, str, str]


@dataclass(frozen=True)
class Measured:
    """The size of a table: rows, and mean bytes of the strings of a column, with TEXT_BYTES each and 0 for a null."""

    rows: int = 0
    text_bytes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table: the type of each column, its partition column, and its size."""

    types: Mapping[str, str]
    partition: str | None = None
    measured: Measured = Measured()

    def row_bytes(self, columns: Sequence[str]) -> float:
        """Mean bytes of a row's columns."""
        return sum(self._bytes(column) for column in columns)

    def _bytes(self, column: str) -> float:
        kind = self.types[column].split("(")[0].upper()
        if kind in ("STRING", "BYTES"):
            return self.measured.text_bytes.get(column, TEXT_BYTES)
        return BYTES[kind]


@dataclass(frozen=True)
class Scan:
    """What a statement reads of one table; partitions: None where it has none."""

    table: str
    columns: int
    partitions: int | None
    rows: int
    scanned: int

    @property
    def billed(self) -> int:
        """Bytes billed: there is a minimum for each table that a statement names."""
        return max(self.scanned, SMALLEST_QUERY_BYTES)


class Catalog:
    """Tables and views by name, and the dates over which all rows are spread evenly."""

    def __init__(self, dates: Sequence[date], measured: Mapping[str, Measured]) -> None:
        self._dates = dates
        self._measured = measured
        self._tables: dict[Name, Table] = {}
        self._views: dict[Name, exp.Expr] = {}

    def add(self, name: Name, types: Mapping[str, str], partition: str | None) -> None:
        """Add a table; a temporary table of dbt has the size of its model."""
        measured = self._measured.get(name[2].split(_TEMPORARY)[0], Measured())
        self._tables[name] = Table(types, partition, measured)

    def define(self, tree: exp.Expr) -> None:
        """Add what a statement creates."""
        if not isinstance(tree, exp.Create):
            return
        table = tree.this.find(exp.Table)
        if tree.kind == "VIEW":
            self._views[_name(table)] = tree.expression
        elif isinstance(tree.this, exp.Schema):
            columns = [column for column in tree.this.expressions if isinstance(column, exp.ColumnDef)]
            types = {column.name: column.args["kind"].sql("bigquery") for column in columns}
            by = tree.find(exp.PartitionedByProperty)
            self.add(_name(table), types, by.this.name if by else None)

    def scans(self, tree: exp.Expr) -> list[Scan]:
        """What a statement reads: a query, a CREATE … AS or dbt's MERGE. A view's definition reads nothing."""
        if isinstance(tree, exp.Merge):
            return list(self._of_merge(tree))
        query = tree.expression if isinstance(tree, exp.Create) else tree
        if not isinstance(query, exp.Query) or (isinstance(tree, exp.Create) and tree.kind == "VIEW"):
            return []
        return list(self._of_query(query))

    def _of_query(self, query: exp.Expr) -> Iterator[Scan]:
        rules = (qualify, pushdown_projections, pushdown_predicates)
        query = optimize(self._expanded(query), schema=self._schema(), dialect="bigquery", rules=rules)
        for scope in traverse_scope(query):
            where = scope.expression.args.get("where")
            for alias, source in scope.sources.items():
                if isinstance(source, exp.Table):
                    columns = {column.name for column in scope.columns if column.table == alias}
                    yield self._scan(_name(source), sorted(columns), _conjuncts(where.this if where else None))

    def _of_merge(self, tree: exp.Merge) -> Iterator[Scan]:
        """All columns of the replaced partitions, and of the rows that replace them."""
        whens = tree.args["whens"].expressions
        conditions = [one for when in whens for one in _conjuncts(when.args.get("condition"))]
        for table in (tree.this, tree.args["using"].find(exp.Table)):
            yield self._scan(_name(table), list(self._tables[_name(table)].types), conditions)

    def _scan(self, name: Name, columns: Sequence[str], conditions: Sequence[exp.Expr]) -> Scan:
        table = self._tables[name]
        rows, partitions = table.measured.rows, None
        if table.partition is not None:
            days = [day for day in self._dates if all(_may_match(one, table.partition, day) for one in conditions)]
            partitions, rows = len(days), round(rows * len(days) / len(self._dates))
        return Scan(
            name[2].split(_TEMPORARY)[0], len(columns), partitions, rows, round(rows * table.row_bytes(columns))
        )

    def _expanded(self, query: exp.Expr) -> exp.Expr:
        """The query with views expanded."""
        query = query.copy()
        while tables := [table for table in query.find_all(exp.Table) if _name(table) in self._views]:
            for table in tables:
                alias = exp.TableAlias(this=exp.to_identifier(table.alias_or_name))
                table.replace(exp.Subquery(this=self._views[_name(table)].copy(), alias=alias))
        for normalized in query.find_all(exp.Normalize):  # its form is a keyword, which sqlglot parses as a column
            if form := normalized.args.get("form"):
                normalized.set("form", exp.var(form.name))
        return query

    def _schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {}
        for (project, dataset, name), table in self._tables.items():
            schema.setdefault(project, {}).setdefault(dataset, {})[name] = dict(table.types)
        return schema


def _name(table: Any) -> Name:
    return table.catalog, table.db, table.name


def _conjuncts(condition: exp.Expr | None) -> list[exp.Expr]:
    return list(condition.flatten()) if isinstance(condition, exp.And) else [condition] if condition else []


def _may_match(condition: exp.Expr, column: str, day: date) -> bool:
    """Whether rows of this day may match the condition; False only where constants exclude it."""
    if not _is_column(condition.this, column):
        return True
    match condition:
        case exp.In() if condition.expressions:
            values = [_value(value) for value in condition.expressions]
            return None in values or day in values
        case exp.Between():
            low, high = _value(condition.args["low"]), _value(condition.args["high"])
            return (low is None or low <= day) and (high is None or day <= high)
    value = _value(condition.args.get("expression"))
    if value is None:
        return True
    match condition:
        case exp.EQ():
            return day == value
        case exp.GTE() | exp.GT():
            return day >= value
        case exp.LTE() | exp.LT():
            return day <= value
    return True


def _is_column(node: Any, column: str) -> bool:
    return isinstance(node, exp.Column | exp.Date) and (node.find(exp.Column) or node).name == column


def _value(node: Any) -> date | None:
    """The day of a constant; None for anything else."""
    match node:
        case exp.Literal(is_string=True):
            return date.fromisoformat(node.name[:10])
        case exp.Cast() | exp.Timestamp():
            return _value(node.this)
        case exp.DateSub():
            start = _value(node.this)
            return start - timedelta(days=int(node.expression.name)) if start else None
        case exp.Least() | exp.Greatest():
            values = [_value(value) for value in (node.this, *node.expressions)]
            known = [value for value in values if value is not None]
            return None if len(known) < len(values) else (min if isinstance(node, exp.Least) else max)(known)
    return None
