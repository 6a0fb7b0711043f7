"""The names that the analyser resolves: BigQuery's functions, and the tables, functions and variables of a script."""

from collections.abc import Iterator, Sequence
from typing import Any

from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service_pb2
from zetasql.wasi._pb2.zetasql.proto import function_pb2, options_pb2, simple_catalog_pb2
from zetasql.wasi._pb2.zetasql.public import builtin_function_pb2, type_pb2
from zetasql.wasi._pb2.zetasql.public import function_pb2 as enums

from tools.sqlcheck import dialect
from tools.sqlcheck.wasm import Service


class Catalog:
    """A catalogue of one project; `version` changes with it."""

    def __init__(self, service: Service, language: Any, project: str) -> None:
        self.message = simple_catalog_pb2.SimpleCatalogProto(name="bigquery")
        self.version = 0
        self._project = project
        self.message.builtin_function_options.language_options.CopyFrom(language)
        self.message.builtin_function_options.exclude_function_ids.extend(_missing_functions(service, language))
        for name in dialect.INT64_ALIASES:
            self.message.named_type.add(name=name, type=type_pb2.TypeProto(type_kind=type_pb2.TYPE_INT64))
        self._add_functions_of_bigquery()

    def add_table(self, name: str, columns: Sequence[tuple[str, Any]]) -> None:
        """Add or replace a table by its full name, with or without the project; columns are names and types."""
        for path in self._paths(name):
            self._put_table(path, name, columns)
        self.version += 1

    def add_function(self, path: Sequence[str], signature: Any) -> None:
        """Add a function that a statement defines."""
        mode = enums.FunctionEnums.SCALAR
        self.message.custom_function.add(name_path=path, group="udf", mode=mode).signature.add().CopyFrom(signature)
        self.version += 1

    def add_variable(self, name: str, type_: Any) -> None:
        """Add a script's variable."""
        self.message.constant.add(name_path=[name], type=type_).value.SetInParent()
        self.version += 1

    def drop_variables(self) -> None:
        """Drop the variables at the end of their script."""
        if self.message.constant:
            del self.message.constant[:]
            self.version += 1

    def _paths(self, name: str) -> Iterator[list[str]]:
        parts = name.split(".")
        for names in [parts, parts[1:]] if parts[0] == self._project else [parts]:
            yield names
            if len(names) > 1:
                yield [".".join(names)]  # `project.dataset.table` in one pair of backticks

    def _put_table(self, path: Sequence[str], name: str, columns: Sequence[tuple[str, Any]]) -> None:
        catalog = self.message
        for part in path[:-1]:
            catalog = next((inner for inner in catalog.catalog if inner.name == part), None) or catalog.catalog.add(
                name=part
            )
        for index, table in enumerate(catalog.table):
            if table.name_in_catalog == path[-1]:
                del catalog.table[index]
                break
        table = catalog.table.add(name=name, full_name=name, name_in_catalog=path[-1])
        for column, type_ in columns:
            is_pseudo = column.upper() in dialect.PSEUDO_COLUMNS
            table.column.add(name=column, type=type_, is_writable_column=True, is_pseudo_column=is_pseudo)

    def _add_functions_of_bigquery(self) -> None:
        """Add BigQuery's functions that the analyser does not have."""
        scalar, aggregate = enums.FunctionEnums.SCALAR, enums.FunctionEnums.AGGREGATE
        any_type, string, boolean = _argument(), _argument(type_pb2.TYPE_STRING), _argument(type_pb2.TYPE_BOOL)
        first, second = _template(enums.ARG_TYPE_ANY_1), _template(enums.ARG_TYPE_ANY_2)
        for name, mode, arguments, result in (
            ("search", scalar, [any_type, string], boolean),
            ("contains_substr", scalar, [any_type, string], boolean),
            ("max_by", aggregate, [first, second], first),
            ("min_by", aggregate, [first, second], first),
        ):
            signature = self.message.custom_function.add(name_path=[name], group="bigquery", mode=mode).signature.add()
            signature.argument.extend(arguments)
            signature.return_type.CopyFrom(result)


def _argument(kind: int | None = None) -> Any:
    if kind is None:
        return _template(enums.ARG_TYPE_ARBITRARY)
    argument = _template(enums.ARG_TYPE_FIXED)
    argument.type.type_kind = kind
    return argument


def _template(kind: int) -> Any:
    return function_pb2.FunctionArgumentTypeProto(num_occurrences=1, kind=kind)


def _missing_functions(service: Service, language: Any) -> list[int]:
    signatures = builtin_function_pb2.FunctionSignatureId
    names = [name for name in dialect.WINDOW_ONLY_SIGNATURES if name in signatures.keys()]  # noqa: SIM118
    request = options_pb2.ZetaSQLBuiltinFunctionOptionsProto(language_options=language)
    functions = service.call("GetBuiltinFunctions", request, service_pb2.GetBuiltinFunctionsResponse).function
    return [signatures.Value(name) for name in names] + [
        signature.options.context_id if hasattr(signature.options, "context_id") else signature.context_id
        for function in functions
        if ".".join(function.name_path).lower() in dialect.MISSING_FUNCTIONS
        for signature in function.signature
    ]
