"""Records the dashboard's queries for the check: `python -m tools.sqlcheck.record_dashboard <file>`."""

import argparse
import json
from pathlib import Path

from csat.contract.settings import Settings
from csat.reporting.queries import QUERIES
from csat.reporting.report import report
from tools.sqlcheck.recording import Recording, Statement


def dashboard_recording(settings: Settings) -> Recording:
    """Every query of the dashboard and check of the report; their marts are those of an earlier recording."""
    queries = {f"csat/reporting/sql/{name}.sql": query for name, query in QUERIES.items()}
    queries |= {f"csat/reporting/report.yaml, {chart.id}": chart.query for chart in report().charts}
    statements = [Statement(origin=origin, sql=query.sql(settings)) for origin, query in queries.items()]
    sources = {settings.table("ops", name): name for query in queries.values() for name in query.tables("ops")}
    return Recording(project=settings.project_id, sources=sources, statements=tuple(statements))


def main() -> None:
    """Write the recording to the file that the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.sqlcheck.record_dashboard", description="Record the dashboard's queries."
    )
    parser.add_argument("recording", type=Path, help="file to write")
    path: Path = parser.parse_args().recording
    # The same names as in dbt's recording: the defaults of its profile
    recording = dashboard_recording(Settings(_env_file=None))
    path.write_text(json.dumps(recording.model_dump(), indent=1))


if __name__ == "__main__":
    main()
