"""What each model declares of itself in dbt: `config: meta:` in the YAML beside it, read from dbt's manifest."""

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Manifest = Mapping[str, Any]


class ReconciledMart(BaseModel):
    """A mart whose counts the reconciliation compares by date; one with windows has totals by date and window."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    dataset: Literal["marts", "candidate"] = "marts"
    columns: frozenset[str]
    date: str
    has_windows: bool = Field(default=False, alias="windows")
    where: str = "true"


class CandidateTable(BaseModel):
    """A mart as dbt built it: its columns, and the partitions that the run replaced, as SQL; none: the whole table."""

    model_config = ConfigDict(frozen=True)

    name: str
    columns: tuple[str, ...]
    partition_column: str = ""
    partitions: tuple[str, ...] = ()


def read_manifest(target: Path) -> Manifest:
    """The manifest in dbt's target folder. Raises FileNotFoundError."""
    manifest: Manifest = json.loads((target / "manifest.json").read_text())
    return manifest


def reconciled_marts(manifest: Manifest) -> list[ReconciledMart]:
    """The marts that declare `reconciled`, those with windows last. Raises ValidationError for an unknown key."""
    declared = [
        ReconciledMart(name=model["alias"], dataset=_dataset(model), columns=frozenset(model["columns"]), **declaration)
        for model, declaration in _declared(manifest, "reconciled")
    ]
    return sorted(declared, key=lambda mart: (mart.has_windows, mart.name))


def published_marts(manifest: Manifest) -> list[str]:
    """Names of the marts that declare `published`: Airflow has an asset for each."""
    return sorted(model["alias"] for model, _ in _declared(manifest, "published"))


def candidate_tables(manifest: Manifest, models: Collection[str] | None = None) -> list[CandidateTable]:
    """The tables that readers see, among these models or all: those of the folder marts."""
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    return [
        CandidateTable(
            name=node["alias"],
            columns=tuple(node["columns"]),
            partition_column=(node["config"].get("partition_by") or {}).get("field", ""),
            partitions=tuple(node["config"].get("partitions") or ()),
        )
        for node in nodes
        if (models is None or node["name"] in models)
        and _dataset(node) == "marts"
        and node["config"]["materialized"] in {"table", "incremental"}
    ]


def _dataset(node: Mapping[str, Any]) -> Literal["marts", "candidate"]:
    """Where its rows are for readers: parts of marts are not published."""
    return "marts" if node["fqn"][1] == "marts" else "candidate"


def _declared(manifest: Manifest, key: str) -> Iterator[tuple[dict[str, Any], Any]]:
    """The models that declare this key, with its value."""
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and (value := node["config"]["meta"].get(key)):
            yield node, value
