"""Records csat's own queries for the check: `python -m tools.sqlcheck.record_queries <target> <file>`.

They are the files of each folder `sql`, the checks of the report, and the comparison of each reconciled mart.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from csat.bigquery import erasures, landing_migration
from csat.bigquery.query import Query
from csat.bigquery.tables import landing_table
from csat.contract import landing
from csat.contract.settings import ROOT, Settings
from csat.marts.differences import RESPONSES, comparison
from csat.marts.manifest import Manifest, candidate_tables, read_manifest, reconciled_marts
from csat.marts.publish import replacement, transaction
from csat.reporting.report import report
from tools.sqlcheck.recording import Recording, Statement

# Its columns are BigQuery's own
_JOBS = """
create table `region-us`.INFORMATION_SCHEMA.JOBS (
    creation_time timestamp, job_type string,
    destination_table struct<project_id string, dataset_id string, table_id string>
)
"""


# dbt's recording creates the candidates
_PUBLISHED = Query("create table marts.{{ mart }} as select * from candidate.{{ mart }}")


def recorded_queries(settings: Settings, manifest: Manifest) -> Recording:
    """Every query; the marts that they read are those of an earlier recording."""
    queries = dict(_queries(manifest))
    statements = [Statement(origin="BigQuery's jobs", sql=_JOBS)]
    statements += [
        Statement(origin=f"the published {table.name}", sql=_PUBLISHED.filled(mart=table.name).sql(settings))
        for table in candidate_tables(manifest)
    ]
    statements += [Statement(origin=origin, sql=query.sql(settings)) for origin, query in queries.items()]
    statements += [Statement(origin="csat/bigquery/landing_migration.py", sql=sql) for sql in _migration(settings)]
    roles: tuple[Literal["raw", "ops"], ...] = ("raw", "ops")
    sources = {
        settings.table(role, name): name for query in queries.values() for role in roles for name in query.tables(role)
    }
    return Recording(project=settings.project_id, sources=sources, statements=tuple(statements))


def _queries(manifest: Manifest) -> Iterator[tuple[str, Query]]:
    """Each query by its origin; those with places to fill are where they are filled."""
    for file in sorted(ROOT.glob("csat/*/sql/*.sql")):
        query = Query(file.read_text()).filled(region="region-us", table=landing.TABLE)
        if "{{" not in query.text:
            yield str(file.relative_to(ROOT)), query
    for chart in report().charts:
        yield f"csat/reporting/report.yaml, {chart.id}", chart.query
    yield (
        "csat/marts/publish.py",
        transaction([replacement(table, is_whole=True) for table in candidate_tables(manifest)]),
    )
    yield "csat/marts/differences.py, fct_survey_responses", RESPONSES
    for number, statement in enumerate(erasures.STATEMENTS, start=1):
        yield f"csat/bigquery/erasures.py, statement {number}", statement
    for mart in reconciled_marts(manifest):
        yield f"csat/marts/differences.py, {mart.name}", comparison(mart)


def _migration(settings: Settings) -> Iterator[str]:
    yield landing_migration.copy_statement(settings, landing.TABLE, landing_table(settings).schema)
    yield landing_migration.rename_statement(settings, landing.TABLE, landing_migration.OLD)


def main() -> None:
    """Write the recording to the file that the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.sqlcheck.record_queries", description="Record csat's own queries."
    )
    parser.add_argument("target", type=Path, help="folder of dbt's manifest")
    parser.add_argument("recording", type=Path, help="file to write")
    arguments = parser.parse_args()
    # The same names as in dbt's recording: the defaults of its profile
    recording = recorded_queries(Settings(_env_file=None), read_manifest(arguments.target))
    arguments.recording.write_text(json.dumps(recording.model_dump(), indent=1))


if __name__ == "__main__":
    main()
