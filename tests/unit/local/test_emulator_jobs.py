"""What the emulator makes of the jobs that an earlier one left."""

import json

from google.cloud import bigquery

from csat.local.emulator.jobs import failed


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
