"""What each model declares of itself in dbt: `config: meta:` in the YAML beside it, read from dbt's manifest."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

Manifest = Mapping[str, Any]


class ReconciledMart(BaseModel):
    """A mart whose counts the reconciliation compares by date; one with windows has totals by date and window."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    columns: frozenset[str]
    date: str
    has_windows: bool = Field(default=False, alias="windows")
    where: str = "true"


def read_manifest(target: Path) -> Manifest:
    """The manifest in dbt's target folder. Raises FileNotFoundError."""
    manifest: Manifest = json.loads((target / "manifest.json").read_text())
    return manifest


def reconciled_marts(manifest: Manifest) -> list[ReconciledMart]:
    """The marts that declare `reconciled`, those with windows last. Raises ValidationError for an unknown key."""
    declared = [
        ReconciledMart(name=model["alias"], columns=frozenset(model["columns"]), **declaration)
        for model, declaration in _declared(manifest, "reconciled")
    ]
    return sorted(declared, key=lambda mart: (mart.has_windows, mart.name))


def published_marts(manifest: Manifest) -> list[str]:
    """Names of the marts that declare `published`: Airflow has an asset for each."""
    return sorted(model["alias"] for model, _ in _declared(manifest, "published"))


def _declared(manifest: Manifest, key: str) -> Iterator[tuple[dict[str, Any], Any]]:
    """The models that declare this key, with its value."""
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and (value := node["config"]["meta"].get(key)):
            yield node, value
