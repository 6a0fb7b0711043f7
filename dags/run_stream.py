"""# run_stream: Kafka to BigQuery, for ever

**What it does.** One run is one life of the stream: the Spark job that carries survey responses from Kafka to
`csat_raw.survey_responses`. The task `guard_stream` starts the job (or adopts the one that runs), then waits in the
triggerer and looks at it every second. It is *deferred* for as long as the stream runs: purple is the healthy colour.
When a run ends, the next one starts the stream again by itself, at once at first, later after a back-off of at most
five minutes. It never gives up and never pauses itself. Owner: data platform.

**What the end of a run means**

| run | meaning |
| --- | --- |
| green | it ended in good order: told to stop, restarted for its age, memory or new code, or another driver took over |
| red | the stream died, froze, failed or stalled; the end of the task's log says which, with the driver's last lines |

One red run followed by a deferred one needs nothing: no row is lost or written twice. "Lags" and "slow" are warnings
in the log; a restart would make them worse.

**What to do when runs turn red again and again**

1. Read the end of the newest red run's log: the verdict, then the driver's last lines.
2. *The stream's query failed* with the same batch each time: one batch cannot be written. Mend the cause the log names.
3. *No supervisord*, or Kafka or BigQuery unreachable: see that they run. The stream comes back with them.
4. *Dead or frozen* at random times: look for memory, disk and CPU on the machine.

The alerts are `stream_ended`, `poison_batch` and those of `check_stream_health`; `docs/runbook.md` has a section each.

**To stop the stream:** pause this DAG, then mark its run as failed. The driver ends its batch and leaves.
**To start it:** unpause. **To restart it:** clear the task, or mark the *task* as failed; both take seconds. After
marking the *run* as failed, Airflow makes the next run only when it reads the DAG file again, up to a minute later.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG

from csat.airflow_api import STREAM_POOL
from guard.defaults import task_defaults
from guard.operator import StreamGuardOperator

with DAG(
    dag_id="run_stream",
    description="Runs the stream, judges its health and restarts it",
    doc_md=__doc__,
    schedule="@continuous",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(retries=0, pool=STREAM_POOL),
    tags=["tier:1", "part:stream"],
):
    # No time-out: it lasts as long as the stream. Weighty, so that a full queue does not delay a restart
    StreamGuardOperator(task_id="guard_stream", priority_weight=1000)
