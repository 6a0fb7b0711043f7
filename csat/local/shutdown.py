"""Stops the stack in order: Airflow first, so that nothing restarts the stream, then the stream, then the rest."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from csat.clients.supervisor import ALIVE
from csat.contract.polling import poll
from csat.contract.settings import Settings
from csat.control.state_files import StateFileError, StateFiles
from csat.control.verdict import State
from csat.local import processes
from csat.local.programs import AIRFLOW, BIGQUERY, DASHBOARD, DBT, KAFKA, MIGRATE, POSTGRES, PRODUCER, STREAM
from csat.local.supervisord import Supervisord, SupervisordError

GRACE_SECONDS = 20
_STREAM_SECONDS = 30  # a batch may be under way
_POLL_SECONDS = 0.3


def end_stack(settings: Settings, on_progress: Callable[[str], None]) -> None:
    """Stop all processes of the stack; those that supervisord cannot stop, or no longer tracks, by their id."""
    with suppress(SupervisordError):  # it does not run, or was killed: its processes are found by their mark
        _end_programs(settings, on_progress)
    if processes.of_stack(settings.state):
        count = processes.end_all(settings.state, GRACE_SECONDS)
        on_progress(f"ended {count} remaining processes")


def _end_programs(settings: Settings, on_progress: Callable[[str], None]) -> None:
    supervisor = Supervisord(settings)
    supervisor.stop(PRODUCER, MIGRATE, DASHBOARD, *AIRFLOW)
    end_stream(settings, on_progress)
    on_progress("stopping Airflow")
    _wait(supervisor, [PRODUCER, MIGRATE, DASHBOARD, STREAM, *AIRFLOW], GRACE_SECONDS)
    on_progress("stopping Kafka and the BigQuery emulator")
    supervisor.stop(KAFKA, BIGQUERY, DBT, POSTGRES)
    _wait(supervisor, [KAFKA, BIGQUERY, DBT, POSTGRES], GRACE_SECONDS)
    supervisor.shutdown()
    poll(lambda: not processes.of_stack(settings.state), GRACE_SECONDS, _POLL_SECONDS)


def end_stream(settings: Settings, on_progress: Callable[[str], None]) -> None:
    """Request a stop of the stream after its current batch; supervisord then makes sure that it exits."""
    supervisor = Supervisord(settings)
    if not _alive(supervisor, [STREAM]):
        return
    on_progress("stopping the stream")
    if _request_stream_stop(settings):
        _wait(supervisor, [STREAM], _STREAM_SECONDS)
    supervisor.stop(STREAM)


def _request_stream_stop(settings: Settings) -> bool:
    """Request the stop through the desired state; False if the driver runs no batches yet and reads no state file."""
    state_files = StateFiles(settings.state_files)
    try:
        desired_state, heartbeat = state_files.desired_state(), state_files.heartbeat()
    except StateFileError:
        return False
    if desired_state is None:
        return False
    if desired_state.desired == "run":
        change = {"desired": "stop", "reason": "the stack stops", "at": datetime.now(UTC)}
        state_files.write_desired_state(desired_state.model_copy(update=change))
    return heartbeat is not None and heartbeat.token == desired_state.token and heartbeat.state is State.RUNNING


def _alive(supervisor: Supervisord, names: Sequence[str]) -> list[str]:
    known = supervisor.programs()
    return [name for name in names if name in known and known[name]["statename"] in ALIVE]


def _wait(supervisor: Supervisord, names: Sequence[str], seconds: float) -> None:
    poll(lambda: not _alive(supervisor, names), seconds, _POLL_SECONDS)
