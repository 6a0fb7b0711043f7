"""The analyser, configured for BigQuery: it parses scripts, and resolves statements and expressions by a catalogue."""

from typing import Any

from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service_pb2
from zetasql.wasi._pb2.zetasql.proto import options_pb2 as settings_pb2
from zetasql.wasi._pb2.zetasql.public import options_pb2, type_pb2

from tools.sqlcheck import dialect
from tools.sqlcheck.catalog import Catalog
from tools.sqlcheck.nodes import Node, attribute, concrete
from tools.sqlcheck.wasm import Service


class Analyser:
    """Resolves SQL of one project. Every method raises SqlError where BigQuery's language does not allow the SQL."""

    def __init__(self, service: Service, project: str) -> None:
        self._service = service
        self._language = dialect.language(service)
        self.catalog = Catalog(service, self._language, project)
        self._registered: tuple[int, int] | None = None  # the service's id of the catalogue, and its version
        self._types: dict[str, Any] = {}
        self._allowed_options = settings_pb2.AllowedHintsAndOptionsProto(disallow_unknown_options=True)
        for name, type_name in dialect.OPTIONS.items():
            self._allowed_options.option.add(name=name, type=self.type(type_name))

    def script(self, sql: str) -> Node:
        """The parse tree of one or more statements."""
        request = service_pb2.ParseRequest(sql_statement=sql, options=self._language, allow_script=True)
        return self._service.call("Parse", request, service_pb2.ParseResponse).parsed_script

    def statement(self, sql: str, target: Any = None) -> Node:
        """The resolved statement; with a target type, of a query whose one column must match that type."""
        return self._analyse(target, sql_statement=sql).resolved_statement

    def expression_type(self, sql: str) -> Any:
        """The type of an expression."""
        return attribute(concrete(self._analyse(None, sql_expression=sql).resolved_expression), "type")

    def type(self, name: str) -> Any:
        """The type of this name, such as ARRAY<STRING>."""
        if name not in self._types:
            self._types[name] = self.expression_type(f"CAST(NULL AS {name})")
        return self._types[name]

    def add_table(self, name: str, columns: dict[str, str]) -> None:
        """Add a table to the catalogue: its full name, and the type of each column."""
        self.catalog.add_table(name, [(column, self.type(type_name)) for column, type_name in columns.items()])

    def _analyse(self, target: Any, **sql: str) -> Any:
        request = service_pb2.AnalyzeRequest(
            options=self._options(target), registered_catalog_id=self._catalog_id(), **sql
        )
        return self._service.call("Analyze", request, service_pb2.AnalyzeResponse)

    def _catalog_id(self) -> int:
        """The service's id of the current catalogue."""
        if self._registered is None or self._registered[1] != self.catalog.version:
            if self._registered is not None:
                old = service_pb2.UnregisterRequest(registered_id=self._registered[0])
                self._service.call("UnregisterCatalog", old, service_pb2.RegisterResponse)
            new = service_pb2.RegisterCatalogRequest(simple_catalog=self.catalog.message)
            response = self._service.call("RegisterCatalog", new, service_pb2.RegisterResponse)
            self._registered = (response.registered_id, self.catalog.version)
        return self._registered[0]

    def _options(self, target: Any) -> Any:
        options = settings_pb2.AnalyzerOptionsProto(
            language_options=self._language,
            default_timezone="UTC",
            error_message_mode=options_pb2.ERROR_MESSAGE_ONE_LINE,
            parameter_mode=options_pb2.PARAMETER_NAMED,
            allow_undeclared_parameters=True,
            prune_unused_columns=False,
            allowed_hints_and_options=self._allowed_options,
        )
        for name, kind in (("_PARTITIONTIME", type_pb2.TYPE_TIMESTAMP), ("_PARTITIONDATE", type_pb2.TYPE_DATE)):
            options.ddl_pseudo_columns.add(name=name, type=type_pb2.TypeProto(type_kind=kind))
        if target is not None:
            options.target_column_types.add().CopyFrom(target)
        return options
