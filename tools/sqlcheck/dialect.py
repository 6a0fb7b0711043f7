"""The differences between BigQuery's SQL and the analyser's. From BigQuery's reference: extend as needed."""

from typing import Any

from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service_pb2
from zetasql.wasi._pb2.zetasql.proto import options_pb2 as settings_pb2
from zetasql.wasi._pb2.zetasql.public import options_pb2, type_pb2
from zetasql.wasi._pb2.zetasql.resolved_ast import resolved_node_kind_pb2

from tools.sqlcheck.wasm import Service


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Features of the analyser that BigQuery lacks.
_MISSING_FEATURES = _names(
    """
    FEATURE_LATERAL_COLUMN_REFERENCES FEATURE_INSERT_ON_CONFLICT_CLAUSE FEATURE_FOR_UPDATE FEATURE_MAP_TYPE
    FEATURE_UUID_TYPE FEATURE_V_1_4_INSERT_ON_CONFLICT_CLAUSE FEATURE_V_1_4_FOR_UPDATE FEATURE_V_1_4_MAP_TYPE
    FEATURE_V_1_4_UUID_TYPE FEATURE_ROW_TYPE FEATURE_V_1_4_LATERAL_JOIN FEATURE_LATERAL_JOIN
    FEATURE_DML_RETURNING FEATURE_V_1_3_DML_RETURNING FEATURE_EXPERIMENTAL_MODULES FEATURE_V_1_4_MULTIWAY_UNNEST
    FEATURE_V_1_4_MULTILEVEL_AGGREGATION FEATURE_V_1_4_AGGREGATE_FILTERING FEATURE_V_1_3_REPEAT
    FEATURE_V_1_3_TYPEOF_FUNCTION FEATURE_V_1_4_FIRST_AND_LAST_N FEATURE_V_1_3_WITH_GROUP_ROWS
    FEATURE_V_1_4_STRUCT_POSITIONAL_ACCESSOR FEATURE_PROTO_BASE FEATURE_V_1_4_LIMIT_OFFSET_EXPRESSIONS
    FEATURE_V_1_4_SQL_GRAPH_EXPOSE_GRAPH_ELEMENT FEATURE_JSON_TYPE_COMPARISON FEATURE_ARRAY_EQUALITY
    FEATURE_V_1_1_ARRAY_EQUALITY FEATURE_V_1_3_ARRAY_ORDERING FEATURE_ARRAY_ORDERING
    """
)

# Functions of the analyser that BigQuery lacks.
MISSING_FUNCTIONS = _names(
    """
    array_min array_max array_sum array_avg array_includes array_includes_all array_includes_any array_filter
    array_transform array_is_distinct array_find array_find_all array_offset array_offsets array_first_n
    array_last_n array_remove_first_n array_remove_last_n array_zip iferror iserror nulliferror zstd_compress
    zstd_decompress_to_bytes zstd_decompress_to_string l1_norm l2_norm manhattan_distance dot_product
    elementwise_avg elementwise_sum all_different same pi_numeric pi_bignumeric apply timestamp_from_unix_micros
    timestamp_from_unix_millis timestamp_from_unix_seconds to_seconds_interval regexp_extract_groups
    safe_to_json zeroifnull nullifzero split_substr flatten float32 pi
    """
)

# In BigQuery, these are window functions only.
WINDOW_ONLY_SIGNATURES = (
    "FN_PERCENTILE_CONT_AGG",
    "FN_PERCENTILE_CONT_AGG_NUMERIC",
    "FN_PERCENTILE_DISC_AGG",
    "FN_PERCENTILE_DISC_AGG_WITH_COLLATION",
)

# The names in OPTIONS(…), with their types.
OPTIONS = {
    **dict.fromkeys(
        _names(
            """
            description friendly_name kms_key_name default_rounding_mode rounding_mode privacy_policy format uri
            compression field_delimiter location storage_billing_model default_collation data_governance_type
            hive_partition_uri_prefix
            """
        ),
        "STRING",
    ),
    **dict.fromkeys(
        _names(
            """
            require_partition_filter enable_refresh enable_change_history overwrite header is_case_insensitive
            strict_mode enable_fine_grained_mutations require_hive_partition_filter
            """
        ),
        "BOOL",
    ),
    **dict.fromkeys(
        _names(
            """
            partition_expiration_days refresh_interval_minutes default_table_expiration_days
            """
        ),
        "FLOAT64",
    ),
    **dict.fromkeys(("skip_leading_rows", "max_time_travel_hours"), "INT64"),
    **dict.fromkeys(("labels", "tags"), "ARRAY<STRUCT<STRING, STRING>>"),
    **dict.fromkeys(("library", "uris"), "ARRAY<STRING>"),
    "expiration_timestamp": "TIMESTAMP",
    "max_staleness": "INTERVAL",
}

INT64_ALIASES = ("INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT")
PSEUDO_COLUMNS = frozenset(("_TABLE_SUFFIX", "_PARTITIONTIME", "_PARTITIONDATE", "_FILE_NAME"))


def kinds(names: str) -> frozenset[int]:
    """The analyser's ids of types, from their names separated by spaces."""
    return frozenset(type_pb2.TypeKind.Value(f"TYPE_{name}") for name in names.split())


CLUSTERING_TYPES = kinds("INT64 BOOL STRING DATE TIMESTAMP DATETIME GEOGRAPHY NUMERIC BIGNUMERIC RANGE")
STORED_TYPES = CLUSTERING_TYPES | kinds("DOUBLE BYTES ARRAY STRUCT TIME JSON INTERVAL")


def language(service: Service) -> Any:
    """The analyser's language options for BigQuery."""
    request = service_pb2.LanguageOptionsRequest(maximum_features=True)
    options = service.call("GetLanguageOptions", request, settings_pb2.LanguageOptionsProto)
    names = options_pb2.LanguageFeature
    missing = {names.Value(name) for name in _MISSING_FEATURES if name in names.keys()}  # noqa: SIM118  # not a dictionary
    features = [feature for feature in options.enabled_language_features if feature not in missing]
    del options.enabled_language_features[:]
    options.enabled_language_features.extend(features)
    options.product_mode = options_pb2.PRODUCT_EXTERNAL
    options.name_resolution_mode = options_pb2.NAME_RESOLUTION_DEFAULT
    statements = [value for name, value in resolved_node_kind_pb2.ResolvedNodeKind.items() if name.endswith("_STMT")]
    del options.supported_statement_kinds[:]  # empty would mean: queries only
    options.supported_statement_kinds.extend(statements)
    options.reserved_keywords.append("QUALIFY")
    return options
