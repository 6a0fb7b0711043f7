"""What BigQuery's engine rejects although the language allows it, found in resolved statements."""

from collections.abc import Iterator

from zetasql.wasi._pb2.zetasql.public import type_pb2
from zetasql.wasi._pb2.zetasql.public.functions import datetime_pb2

from tools.sqlcheck import dialect
from tools.sqlcheck.nodes import Node, attribute, concrete, descendants, has, kind

_MAX_CLUSTER_COLUMNS = 4
_TRUNCATIONS = {"ZetaSQL:timestamp_trunc", "ZetaSQL:datetime_trunc", "ZetaSQL:date_trunc"}
_DATE_UNITS = {"DAY", "MONTH", "YEAR"}
_TIME_UNITS = {*_DATE_UNITS, "HOUR"}


def violations(statement: Node) -> Iterator[str]:
    """The reasons why BigQuery would reject the resolved statement."""
    if kind(statement) in ("ResolvedCreateTableAsSelectStmtProto", "ResolvedCreateTableStmtProto"):
        yield from _of_table(statement)
    for node in descendants(statement):
        yield from _of_join(node)
        yield from _of_percentile(node)


def _of_table(statement: Node) -> Iterator[str]:
    for column in attribute(statement, "column_definition_list"):
        if column.type.type_kind not in dialect.STORED_TYPES:
            yield f"Column {column.name} has a type that BigQuery cannot store"
    partitions = [concrete(expression) for expression in attribute(statement, "partition_by_list")]
    if len(partitions) > 1:
        yield "PARTITION BY takes one expression only"
    for partition in partitions:
        if reason := _bad_partition(partition):
            yield f"PARTITION BY: {reason}"
    clusters = [concrete(expression) for expression in attribute(statement, "cluster_by_list")]
    if len(clusters) > _MAX_CLUSTER_COLUMNS:
        yield f"CLUSTER BY takes {_MAX_CLUSTER_COLUMNS} columns at most"
    for cluster in clusters:
        if not _is_column(cluster):
            yield "CLUSTER BY takes column names only"
        elif cluster.column.type.type_kind not in dialect.CLUSTERING_TYPES:
            yield f"CLUSTER BY: column {cluster.column.name} is of a type that cannot cluster"


def _bad_partition(expression: Node) -> str | None:
    if _is_column(expression):
        type_kind = expression.column.type.type_kind
        if type_kind == type_pb2.TYPE_DATE:
            return None
        return f"column {expression.column.name} is {type_pb2.TypeKind.Name(type_kind)[5:]}, not DATE; truncate it"
    if kind(expression) != "ResolvedFunctionCallProto":
        return "this expression is not allowed"
    function = expression.parent.function.name
    arguments = [concrete(argument) for argument in expression.parent.argument_list]
    if not arguments or not _is_column(arguments[0]):
        return "the function needs a bare column"
    if function in _TRUNCATIONS:
        return _bad_truncation(arguments)
    is_allowed = function == "ZetaSQL:range_bucket" or (function == "ZetaSQL:date" and len(arguments) == 1)
    return None if is_allowed else f"function {function.removeprefix('ZetaSQL:')} is not allowed"


def _bad_truncation(arguments: list[Node]) -> str | None:
    is_date = arguments[0].column.type.type_kind == type_pb2.TYPE_DATE
    unit = datetime_pb2.DateTimestampPart.Name(arguments[1].value.value.enum_value)
    is_allowed = len(arguments) == 2 and unit in (_DATE_UNITS if is_date else _TIME_UNITS)
    return None if is_allowed else f"unit {unit} is not allowed"


def _of_join(node: Node) -> Iterator[str]:
    if kind(node) != "ResolvedJoinScanProto" or node.join_type == 0 or not has(node, "join_expr"):
        return
    conditions = list(_conjuncts(node.join_expr))
    is_call = [kind(condition) == "ResolvedFunctionCallProto" for condition in conditions]
    if all(is_call) and all(condition.parent.function.name != "ZetaSQL:$equal" for condition in conditions):
        yield "An outer join needs a condition that is an equality of fields from both sides"


def _conjuncts(expression: Node) -> Iterator[Node]:
    expression = concrete(expression)
    if kind(expression) == "ResolvedFunctionCallProto" and expression.parent.function.name == "ZetaSQL:$and":
        for argument in expression.parent.argument_list:
            yield from _conjuncts(argument)
    else:
        yield expression


def _of_percentile(node: Node) -> Iterator[str]:
    if kind(node) == "ResolvedAggregateFunctionCallProto":
        function = node.parent.parent.function.name.removeprefix("ZetaSQL:")
        if function.startswith("percentile_"):
            yield f"{function.upper()} cannot be called without an OVER clause"


def _is_column(expression: Node) -> bool:
    return kind(expression) == "ResolvedColumnRefProto"
