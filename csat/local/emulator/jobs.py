"""The patch that ends the jobs of an emulator that was killed; csat.local.emulator.patches says what it is for."""

import json
import time

import duckdb

# As BigQuery reports a job that its own fault ended
INTERRUPTED = {
    "reason": "backendError",
    "message": "The emulator ended while this job was pending or running",
    "location": "",
}
_UNFINISHED_SQL = "SELECT project_id, job_id, resource FROM emulator.jobs WHERE state <> 'DONE'"
_END_SQL = "UPDATE emulator.jobs SET state = 'DONE', resource = ? WHERE project_id = ? AND job_id = ?"


def fail_jobs_of_an_earlier_server(connection: duckdb.DuckDBPyConnection) -> None:
    """End the jobs that no server runs any more, before the first request is served."""
    for project_id, job_id, resource in connection.execute(_UNFINISHED_SQL).fetchall():
        connection.execute(_END_SQL, [failed(resource, int(time.time() * 1000)), project_id, job_id])


def failed(resource: str, now: int) -> str:
    """The job's resource, ended at `now` (milliseconds) with an error."""
    job = json.loads(resource)
    job["status"] = {"state": "DONE", "errorResult": INTERRUPTED, "errors": [INTERRUPTED]}
    job["statistics"]["endTime"] = str(now)
    return json.dumps(job)
