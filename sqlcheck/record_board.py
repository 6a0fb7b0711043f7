"""Records what the board asks, for the check: `python -m sqlcheck.record_board <file>`."""

import argparse
import json
from pathlib import Path

from csat.settings import Settings
from dashboard.queries import OPS_TABLES, QUERIES
from dashboard.report import report
from sqlcheck.recording import Recording, Statement


def board_recording(settings: Settings) -> Recording:
    """Every question of the board and check of the report; their marts are those of an earlier recording."""
    asked = {f"dashboard/queries.py, {name}": query for name, query in QUERIES.items()}
    asked |= {f"dashboard/report.yaml, {chart.id}": chart.query for chart in report().charts}
    statements = [Statement(origin=origin, sql=query.sql(settings)) for origin, query in asked.items()]
    sources = {settings.table("ops", name): name for name in OPS_TABLES}
    return Recording(project=settings.project_id, sources=sources, statements=tuple(statements))


def main() -> None:
    """Write the recording to the file that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m sqlcheck.record_board", description="Record what the board asks.")
    parser.add_argument("recording", type=Path, help="file to write")
    path: Path = parser.parse_args().recording
    # The names that dbt's own recording has: its profile's defaults
    recording = board_recording(Settings(_env_file=None))
    path.write_text(json.dumps(recording.model_dump(), indent=1))


if __name__ == "__main__":
    main()
