"""What the emulator makes of the jobs that an earlier one left."""

import json

import duckdb
from google.cloud import bigquery

from csat.local.emulator.jobs import INTERRUPTED, fail_jobs_of_an_earlier_server, failed


def test_a_job_of_a_killed_emulator_has_ended_with_an_error_that_clients_read() -> None:
    running = {
        "jobReference": {"projectId": "p", "jobId": "j", "location": "US"},
        "configuration": {"load": {"destinationTable": {"projectId": "p", "datasetId": "d", "tableId": "t"}}},
        "status": {"state": "RUNNING"},
        "statistics": {"creationTime": "1", "startTime": "2"},
    }
    resource = json.loads(failed(json.dumps(running), 5_000))
    job = bigquery.LoadJob.from_api_repr(resource, None)
    assert (job.state, job.error_result["reason"]) == ("DONE", "backendError")
    assert job.ended is not None
    assert job.ended.timestamp() == 5


def test_only_the_jobs_that_had_not_ended_are_ended() -> None:
    done = {"status": {"state": "DONE"}, "statistics": {"endTime": "3"}}
    with duckdb.connect() as connection:
        connection.execute("ATTACH ':memory:' AS emulator")
        connection.execute("CREATE TABLE emulator.jobs (project_id TEXT, job_id TEXT, state TEXT, resource JSON)")
        for job_id, state in {"j1": "PENDING", "j2": "RUNNING", "j3": "DONE"}.items():
            resource = done if state == "DONE" else {"status": {"state": state}, "statistics": {}}
            connection.execute("INSERT INTO emulator.jobs VALUES ('p', ?, ?, ?)", [job_id, state, json.dumps(resource)])
        fail_jobs_of_an_earlier_server(connection)
        jobs = connection.execute("SELECT state, resource FROM emulator.jobs ORDER BY job_id").fetchall()
    assert [state for state, _ in jobs] == ["DONE"] * 3
    first, second, third = (json.loads(resource) for _, resource in jobs)
    assert [first["status"]["errorResult"], second["status"]["errorResult"]] == [INTERRUPTED] * 2
    assert third == done
