"""What Airflow tells when a task fails, and when it works again: by a `csat alert` that nobody waits for.

The callbacks run in the task's own process after its end. They read one small document and start a process; whatever
goes wrong in them is logged and changes nothing for the task.
"""

import logging
import os
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from csat.alerts import ALERTS, AlertKey
from csat.documents import DocumentError, Documents
from csat.health import Verdict
from csat.settings import ROOT, Settings, get_settings
from csat.watch import Watch
from guard.backends import BackendError
from guard.cloud_run import CommandRun
from guard.command import PROGRAM
from guard.operator import StreamEndedError

logger = logging.getLogger(__name__)

HEALTH_DAG = "check_stream_health"
_LONGEST_TEXT = 500


@dataclass(frozen=True)
class Failure:
    """A task that failed for good."""

    dag_id: str
    task_id: str
    error: BaseException | str | None
    started_at: datetime | None


def failure_alert(failure: Failure, watch: Watch) -> list[str]:
    """The words behind `csat alert`; none where a look has already told what it found."""
    text = str(failure.error or "it was ended from outside")[:_LONGEST_TEXT]
    if isinstance(failure.error, StreamEndedError):
        is_poison = failure.error.verdict is Verdict.POISON_BATCH
        return _words(AlertKey.POISON_BATCH if is_poison else AlertKey.STREAM_ENDED, text)
    if failure.dag_id == HEALTH_DAG and _has_looked(watch, failure.started_at):
        return []
    return [*_words(AlertKey.DAG_FAILED, f"{_opening(failure.task_id)}{text}"), "--about", failure.dag_id]


def recovery(dag_id: str, task_id: str, watch: Watch) -> list[str]:
    """The words behind `csat alert` that end the alert about a DAG; none unless this task's failure raised it."""
    alert = watch.find(AlertKey.DAG_FAILED, dag_id)
    if alert is None or not alert.text.startswith(_opening(task_id)):
        return []
    return ["recovered", AlertKey.DAG_FAILED.value, "it succeeded again", "--about", dag_id]


def alert_failure(context: Any) -> None:
    """Raise an alert for a failed task: its on_failure_callback."""
    settings, task = get_settings(), context["ti"]
    failure = Failure(task.dag_id, task.task_id, context.get("exception"), task.start_date)
    _call(settings, failure_alert(failure, _watch(settings)))


def end_alert(context: Any) -> None:
    """End the alert that the task raised when it failed: its on_success_callback."""
    settings, task = get_settings(), context["ti"]
    _call(settings, recovery(task.dag_id, task.task_id, _watch(settings)))


def _opening(task_id: str) -> str:
    return f"{task_id}: "


def _words(key: AlertKey, text: str) -> list[str]:
    return [ALERTS[key].severity.value, key.value, text]


def _has_looked(watch: Watch, since: datetime | None) -> bool:
    return since is not None and watch.looked_at is not None and watch.looked_at >= since


def _watch(settings: Settings) -> Watch:
    try:
        return Documents(settings.documents).watch()
    except (DocumentError, OSError) as error:
        logger.warning("%s", error)
        return Watch()


def _call(settings: Settings, words: list[str]) -> None:
    """Start `csat alert` in a session of its own, its output in the stack's log `alerts`."""
    if not words:
        return
    if settings.command_job:
        try:
            CommandRun(settings.command_job).start(["alert", *words])
        except BackendError as error:
            logger.warning("No alert was sent (%s): %s", error, " ".join(words))
        return
    command = [PROGRAM, "alert", *words]
    try:
        with _log(settings) as log:
            subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
    except OSError as error:
        logger.warning("No alert was sent (%s): %s", error, " ".join(words))


def _log(settings: Settings) -> TextIO:
    path = settings.state / "logs" / "alerts.log"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path.open("a")
    except OSError:  # no folder of ours here: what counts is the alert
        return Path(os.devnull).open("a")
