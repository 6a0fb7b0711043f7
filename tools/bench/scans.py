"""What a build of the marts would read on BigQuery, by statement: `python -m tools.bench.scans`.

The statements are those that dbt sends for new responses of the latest date, with its tests, and those that plan the
build. Rows and string sizes are counted in the histories of tools.bench.marts.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlglot

from csat.contract import landing
from csat.contract.settings import ROOT, Settings, environment
from csat.marts import plans as mart_plans
from tools.bench.bigquery_scans import Catalog, Scan
from tools.bench.history import HISTORIES, HISTORY_END, history_files, history_folder
from tools.bench.mart_sizes import sizes
from tools.bench.results import markdown, write
from tools.sqlcheck.recording import Recording
from tools.sqlcheck.schemas import source_columns

_DATE = HISTORY_END.date()


# The statements that plan a build.
PLANS = {
    "count of the landing rows": mart_plans.COUNT,
    "latest response and watermark": mart_plans.LATEST,
    "touched dates": mart_plans.TOUCHED,
    "first other date": mart_plans.FIRST_OTHER,
}


@dataclass(frozen=True)
class Statement:
    """One statement of a build; `part`: plan, build, tests, nightly tests or full refresh."""

    part: str
    name: str
    tree: Any


@dataclass(frozen=True)
class Read:
    """A line of the table: what one statement, or the tests of one model, read of one table."""

    part: str
    statement: str
    table: str
    partitions: int | None
    rows: int
    megabytes: float
    billed_megabytes: float


def recorded(settings: Settings) -> Recording:
    """The statements of dbt for the latest date of the history."""
    dates = {
        "CSAT_TOUCHED_DATES": json.dumps([str(_DATE)]),
        "CSAT_AS_OF": str(_DATE),
        "CSAT_NEW_SINCE": str(_DATE),
        "CSAT_NEW_UNTIL": str(HISTORY_END),
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "recording.json"
        command = [sys.executable, "-m", "tools.sqlcheck.record", str(file)]
        subprocess.run(command, env=environment(**dates), cwd=ROOT, check=True)
        return Recording.model_validate_json(file.read_text())


def statements(settings: Settings, recording: Recording) -> Iterator[Statement]:
    """The statements of a plan, a build, its tests and a full refresh. Contract checks read nothing."""
    for name, query in PLANS.items():
        constants = query.sql(settings)
        for parameter, constant in _constants(settings).items():
            constants = constants.replace(f"@{parameter}", constant)
        yield Statement("plan", name, sqlglot.parse_one(constants, dialect="bigquery"))
    for statement in recording.statements:
        if statement.contract is not None:
            continue
        path, _, test = statement.origin.partition(", test ")
        model = Path(path.split(" ")[0]).stem
        tests = "nightly tests" if model == "pipeline_health" else "tests"  # it is a view of all rows
        part = tests if test else "build" if path.endswith("(incremental)") else "full refresh"
        for tree in sqlglot.parse(statement.sql, dialect="bigquery"):
            yield Statement(part, model, tree)


def reads(catalog: Catalog, all_statements: Sequence[Statement]) -> list[Read]:
    """The lines of the table; the tests of a model are summed for each table that they read."""
    sums: dict[tuple[str, str, str], list[Scan]] = {}
    for statement in all_statements:
        catalog.define(statement.tree)
    for statement in all_statements:
        for scan in catalog.scans(statement.tree):
            sums.setdefault((statement.part, statement.name, scan.table), []).append(scan)
    return [_read(*key, scans) for key, scans in sums.items()]


def _read(part: str, name: str, table: str, scans: Sequence[Scan]) -> Read:
    return Read(
        part=part,
        statement=name,
        table=table,
        partitions=max((scan.partitions for scan in scans if scan.partitions is not None), default=None),
        rows=max(scan.rows for scan in scans),
        megabytes=round(sum(scan.scanned for scan in scans) / 1e6, 2),
        billed_megabytes=round(sum(scan.billed for scan in scans) / 1e6, 1),
    )


def catalog_of(settings: Settings, files: Sequence[Path]) -> Catalog:
    """The landing table of a history, and the sizes of its marts."""
    days, measured = sizes(files)
    catalog = Catalog([_DATE - timedelta(days=back) for back in range(days)], measured)
    name = (settings.project_id, settings.dataset("raw"), landing.TABLE)
    catalog.add(name, source_columns(landing.TABLE), landing.PARTITION_COLUMN)
    return catalog


def _constants(settings: Settings) -> dict[str, str]:
    """The values of the plan's parameters, as SQL."""
    since, earliest = f"timestamp('{_DATE}')", _DATE - timedelta(days=settings.marts_look_back_days)
    dates = {"earliest": f"date '{earliest}'", "latest": f"date '{_DATE}'", "dates": f"([date '{_DATE}'])"}
    return {"read_since": since, "since": since, **dates}


def main() -> None:
    """Print the table, and the sums of its parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--responses", type=int, nargs="+", default=list(HISTORIES))
    parser.add_argument("--history", type=Path, default=history_folder(), help="where histories are cached")
    parser.add_argument("--results", type=Path, help="file for the results, as JSON")
    options = parser.parse_args()
    settings = Settings(_env_file=None)
    trees = list(statements(settings, recorded(settings)))
    lines: list[dict[str, Any]] = []
    for responses in options.responses:
        catalog = catalog_of(settings, history_files(options.history, responses))
        found = [asdict(read) for read in reads(catalog, trees)]
        lines += [{"responses": responses, **line} for line in found]
        print(f"{responses:,} responses", markdown(found), markdown(_sums(found)), sep="\n\n", end="\n\n")
    if options.results:
        write(options.results, lines)


def _sums(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    parts = dict.fromkeys(line["part"] for line in lines)
    names = ("megabytes", "billed_megabytes")
    return [
        {"part": part, **{name: sum(line[name] for line in lines if line["part"] == part) for name in names}}
        for part in parts
    ]


if __name__ == "__main__":
    main()
