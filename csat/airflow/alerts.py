"""Alerts for failed and recovered tasks, sent by a `csat alerts` process that Airflow does not wait for.

The callbacks run in the task's own process after it ends. They read one small file and start a process; whatever
goes wrong in them is logged and does not affect the task.
"""

import logging
import os
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from csat.airflow.backends.base import BackendError
from csat.airflow.cloud_run import CommandRun
from csat.airflow.command import PROGRAM
from csat.airflow.operator import StreamRunFailedError
from csat.contract.alerts import AlertKey
from csat.contract.settings import ROOT, Settings, get_settings
from csat.control.open_alerts import AlertState
from csat.control.state_files import StateFileError, StateFiles
from csat.control.verdict import Verdict

logger = logging.getLogger(__name__)

HEALTH_DAG = "check_stream_health"
_MAX_TEXT_CHARACTERS = 500


@dataclass(frozen=True)
class Failure:
    """A task that failed after its last retry."""

    dag_id: str
    task_id: str
    error: BaseException | str | None
    started_at: datetime | None


def failure_alert(failure: Failure, alert_state: AlertState) -> list[str]:
    """The command that raises the alert; none if the health check has already sent its alerts."""
    text = str(failure.error or "the task was killed")[:_MAX_TEXT_CHARACTERS]
    if isinstance(failure.error, StreamRunFailedError):
        is_poison = failure.error.verdict is Verdict.POISON_BATCH
        return _arguments(AlertKey.POISON_BATCH if is_poison else AlertKey.STREAM_RUN_FAILED, text)
    if failure.dag_id == HEALTH_DAG and _has_checked(alert_state, failure.started_at):
        return []
    return [*_arguments(AlertKey.DAG_FAILED, f"{_prefix(failure.task_id)}{text}"), "--about", failure.dag_id]


def recovery(dag_id: str, task_id: str, alert_state: AlertState) -> list[str]:
    """The command that resolves a DAG's alert; none unless this task's failure raised it."""
    alert = alert_state.find(AlertKey.DAG_FAILED, dag_id)
    if alert is None or not alert.text.startswith(_prefix(task_id)):
        return []
    return ["alerts", "resolve", AlertKey.DAG_FAILED.value, "the task succeeded again", "--about", dag_id]


def alert_failure(context: Any) -> None:
    """Raise an alert for a failed task: its on_failure_callback."""
    settings, task = get_settings(), context["ti"]
    failure = Failure(task.dag_id, task.task_id, context.get("exception"), task.start_date)
    _call(settings, failure_alert(failure, _alert_state(settings)))


def resolve_alert(context: Any) -> None:
    """Resolve the alert that the task's failure raised: its on_success_callback."""
    settings, task = get_settings(), context["ti"]
    _call(settings, recovery(task.dag_id, task.task_id, _alert_state(settings)))


def _prefix(task_id: str) -> str:
    return f"{task_id}: "


def _arguments(key: AlertKey, text: str) -> list[str]:
    return ["alerts", "raise", key.value, text]


def _has_checked(alert_state: AlertState, since: datetime | None) -> bool:
    return since is not None and alert_state.checked_at is not None and alert_state.checked_at >= since


def _alert_state(settings: Settings) -> AlertState:
    try:
        return StateFiles(settings.state_files).alert_state()
    except (StateFileError, OSError) as error:
        logger.warning("%s", error)
        return AlertState()


def _call(settings: Settings, arguments: list[str]) -> None:
    """Start `csat alerts` in its own session; its output goes to the stack's log `alerts`."""
    if not arguments:
        return
    if settings.command_job:
        try:
            CommandRun(settings.command_job).start(arguments)
        except BackendError as error:
            logger.warning("No alert was sent (%s): %s", error, " ".join(arguments))
        return
    command = [PROGRAM, *arguments]
    try:
        with _log(settings) as log:
            subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
    except OSError as error:
        logger.warning("No alert was sent (%s): %s", error, " ".join(arguments))


def _log(settings: Settings) -> TextIO:
    path = settings.state / "logs" / "alerts.log"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path.open("a")
    except OSError:  # no writable log folder: the alert matters more
        return Path(os.devnull).open("a")
