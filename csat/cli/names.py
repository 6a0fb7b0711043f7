"""Names that a shell completes. Each is read from files: a completion starts no client and waits for no server."""

import re
from collections.abc import Iterable
from pathlib import Path

from csat.contract.choices import unknown_name
from csat.contract.errors import CsatError
from csat.contract.settings import ROOT, get_settings

_DBT = ROOT / "dbt"
_DECLARED = re.compile(r"^\s*-?\s*name:\s*(\w+)\s*$", re.MULTILINE)


def program_names(incomplete: str) -> list[str]:
    """The programs that have written a log."""
    from csat.local import logs

    try:
        return _beginning(incomplete, logs.names(get_settings()))
    except CsatError:
        return []


def selector_names(incomplete: str) -> list[str]:
    """What the last word of a selection in dbt's syntax may be: a model or a folder of models."""
    *before, last = incomplete.split(" ")
    plus = "+" if last.startswith("+") else ""
    return [" ".join([*before, plus + name]) for name in _beginning(last.removeprefix("+"), model_names())]


def model_names() -> set[str]:
    """The models of dbt, and the folders that select all of theirs."""
    models = _DBT / "models"
    return {path.stem for path in models.rglob("*.sql")} | {path.name for path in models.rglob("*") if path.is_dir()}


def selectable_names() -> set[str]:
    """What a selection may name without a method: also the project, its tests, and all that YAML declares."""
    declared = {name for path in _files("*.yml") for name in _DECLARED.findall(path.read_text())}
    return model_names() | declared | {path.stem for path in _files("*.sql")}


def require_selectable(selection: str) -> None:
    """Raise CsatError for a plain name that is none; dbt itself judges methods, paths and patterns."""
    for word in re.split(r"[\s,]+", selection.strip()):
        name = re.fullmatch(r"@?(?:\d*\+)?(\w+)(?:\+\d*)?", word)
        if name and name[1] not in selectable_names():
            raise unknown_name("model", name[1], model_names())


def _files(pattern: str) -> list[Path]:
    """dbt's project, and the files that may declare or be a node."""
    return [_DBT / "dbt_project.yml", *(_DBT / "models").rglob(pattern), *(_DBT / "tests").rglob(pattern)]


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
