"""Checks scripts statement by statement, as BigQuery runs them: a statement can use what earlier ones created."""

from collections.abc import Iterator
from typing import Any

from zetasql.wasi._pb2.zetasql.public import type_pb2

from tools.sqlcheck.analyser import Analyser
from tools.sqlcheck.nodes import Node, attribute, children, concrete, has, kind, location
from tools.sqlcheck.rules import violations
from tools.sqlcheck.wasm import SqlError

_BLOCKS = {
    f"AST{name}Proto"
    for name in ["IfStatement", "BeginEndBlock", "WhileStatement", "RepeatStatement", "ForInStatement", "CaseStatement"]
}
_JUMPS = {f"AST{name}StatementProto" for name in ["Break", "Continue", "Return", "Raise"]}


class Checker:
    """Checks SQL in execution order."""

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser
        self._variables: dict[str, Any] = {}
        self._sql = b""  # locations count bytes

    def check(self, sql: str) -> list[str]:
        """The reasons why BigQuery would reject the script; empty where it would not."""
        self._sql = sql.encode()
        try:
            return list(self._of_list(self._analyser.script(sql).statement_list_node))
        except SqlError as error:
            return [str(error)]
        finally:
            self._variables.clear()
            self._analyser.catalog.drop_variables()

    def check_contract(self, sql: str, contract: str) -> list[str]:
        """The differences between the columns of a query and of its contract, which is a query of typed nulls."""
        try:
            found, wanted = self._columns(sql), self._columns(contract)
        except SqlError as error:
            return [str(error)]
        messages = [f"Column {name} is in the contract and not in the query" for name in wanted.keys() - found.keys()]
        messages += [f"Column {name} is in the query and not in the contract" for name in found.keys() - wanted.keys()]
        for name in wanted.keys() & found.keys():
            if found[name] != wanted[name]:
                kinds = [type_pb2.TypeKind.Name(columns[name].type_kind)[5:] for columns in (wanted, found)]
                messages.append(f"Column {name} is {kinds[0]} in the contract, {kinds[1]} in the query")
        return sorted(messages)

    def _columns(self, sql: str) -> dict[str, Any]:
        statement = concrete(self._analyser.statement(sql))
        return {column.name.lower(): column.column.type for column in attribute(statement, "output_column_list")}

    def _of_list(self, statements: Node) -> Iterator[str]:
        for statement in statements.statement_list:
            try:
                yield from self._of_statement(concrete(statement))
            except SqlError as error:
                yield str(error)

    def _of_statement(self, node: Node) -> Iterator[str]:
        name = kind(node)
        if name == "ASTVariableDeclarationProto":
            self._declare(node)
        elif name == "ASTSingleAssignmentProto":
            self._assign(node)
        elif name == "ASTAssignmentFromStructProto":
            self._assign_struct(node)
        elif name in _BLOCKS:
            for child in children(node):
                yield from self._of_block(child)
        elif name not in _JUMPS:
            statement = concrete(self._analyser.statement(self._text(node)))
            yield from violations(statement)
            self._define(statement)

    def _of_block(self, node: Node) -> Iterator[str]:
        """The problems in the statement lists and conditions of a block."""
        if "statement_list" in node.DESCRIPTOR.fields_by_name:
            yield from self._of_list(node)
        elif kind(node) == "AnyASTExpressionProto":
            try:
                self._analyser.expression_type(self._text(concrete(node)))
            except SqlError as error:
                yield str(error)
        elif kind(node) != "ASTNodeProto" and not kind(node).endswith("LocationRangeProto"):
            for child in children(node):
                yield from self._of_block(child)

    def _declare(self, node: Node) -> None:
        default = self._text(concrete(node.default_value)) if has(node, "default_value") else "NULL"
        if has(node, "type"):
            type_ = self._analyser.type(self._text(concrete(node.type)))
            self._analyser.statement(f"SELECT ({default})", target=type_)
        else:
            type_ = self._analyser.expression_type(default)
        for variable in node.variable_list.identifier_list:
            self._variables[variable.id_string.lower()] = type_
            self._analyser.catalog.add_variable(variable.id_string, type_)

    def _assign(self, node: Node) -> None:
        type_ = self._variable(node.variable.id_string)
        self._analyser.statement(f"SELECT ({self._text(concrete(node.expression))})", target=type_)

    def _assign_struct(self, node: Node) -> None:
        names = [variable.id_string for variable in node.variables.identifier_list]
        for name in names:
            self._variable(name)
        type_ = self._analyser.expression_type(self._text(concrete(node.struct_expression)))
        if type_.type_kind != type_pb2.TYPE_STRUCT or len(type_.struct_type.field) != len(names):
            raise SqlError(f"SET ({', '.join(names)}) needs a struct of {len(names)} fields")

    def _variable(self, name: str) -> Any:
        if name.lower() not in self._variables:
            raise SqlError(f"Undeclared variable: {name}")
        return self._variables[name.lower()]

    def _define(self, statement: Node) -> None:
        """Add what the statement creates to the catalogue."""
        name, catalog = kind(statement), self._analyser.catalog
        path = attribute(statement, "name_path")
        if name in ("ResolvedCreateTableAsSelectStmtProto", "ResolvedCreateTableStmtProto"):
            columns = [(column.name, column.type) for column in attribute(statement, "column_definition_list")]
            catalog.add_table(".".join(path), columns)
        elif name in ("ResolvedCreateViewStmtProto", "ResolvedCreateMaterializedViewStmtProto"):
            columns = [(column.name, column.column.type) for column in attribute(statement, "output_column_list")]
            catalog.add_table(".".join(path), columns)
        elif name == "ResolvedCreateFunctionStmtProto":
            catalog.add_function(path, attribute(statement, "signature"))

    def _text(self, node: Node) -> str:
        span = location(node)
        return self._sql[span.start : span.end].decode()
