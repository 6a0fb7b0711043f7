"""# run_stream: runs the stream from Kafka to BigQuery

**What it does.** One DAG run is one stream run: the Spark job that moves survey responses from Kafka to
`csat_raw.survey_responses`. The task `guard_stream` starts the job (or adopts the running one), then waits in the
triggerer and checks it every second. It is *deferred* for as long as the stream runs: purple is the healthy colour.
When a run ends, the next one restarts the stream automatically, at first immediately, later after a back-off of at most
five minutes. It never gives up and never pauses itself. Owner: data platform.

**What the end of a run means**

| run | meaning |
| --- | --- |
| green | it ended cleanly: stopped on request, restarted for uptime, memory or new code, or another driver took over |
| red | the stream died, froze, failed or stalled; the end of the task's log says which, with the driver's last lines |

One red run followed by a deferred one needs no action: no row is lost or written twice. "Lags" and "slow" are warnings
in the log; a restart would make them worse.

**What to do when runs keep turning red**

1. Read the end of the newest red run's log: the verdict, then the driver's last lines.
2. *The stream's query failed* with the same batch each time: one batch cannot be written. Fix the cause in the log.
3. *No supervisord*, or Kafka or BigQuery unreachable: start them. The stream recovers with them.
4. *Dead or frozen* at random times: check memory, disk and CPU of the machine.

The alerts are `stream_run_failed`, `poison_batch` and those of `check_stream_health`; see `docs/runbook.md`.

**To stop the stream:** pause this DAG, then mark its run as failed. The driver finishes its batch and exits.
**To start it:** unpause. **To restart it:** clear the task, or mark the *task* as failed; both take seconds. After
marking the *run* as failed, Airflow creates the next run only when it parses the DAG file again, up to a minute later.
"""

from datetime import UTC, datetime

from csat.airflow.defaults import task_defaults  # isort: skip  # first: it checks Airflow's version
from airflow.sdk import DAG

from csat.airflow.operator import StreamGuardOperator
from csat.clients.airflow_api import STREAM_POOL

with DAG(
    dag_id="run_stream",
    description="Runs the stream, judges its health and restarts it",
    doc_md=__doc__,
    schedule="@continuous",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    # Airflow's own limit, which a deployment may set, would pause the DAG: nothing would restart the stream
    max_consecutive_failed_dag_runs=0,
    is_paused_upon_creation=False,
    default_args=task_defaults(retries=0, pool=STREAM_POOL),
    tags=["tier:1", "part:stream"],
):
    # No timeout: it runs as long as the stream. High weight, so that a full queue does not delay a restart
    StreamGuardOperator(task_id="guard_stream", priority_weight=1000)
