"""The task that guards the stream: it starts or adopts a driver, waits without a worker slot, and reports the end."""

import uuid
from datetime import timedelta
from typing import Any

from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException

from csat.airflow.decide import MESSAGES, SUCCESS, plan
from csat.airflow.stream import Stream
from csat.airflow.stream_run import utc_now
from csat.airflow.trigger import StreamHealthTrigger
from csat.contract.settings import get_settings
from csat.control.state_files import StateFilesUnreachableError
from csat.control.verdict import RESTARTING, Verdict

_LOG_LINES = 40
_RETRY = timedelta(seconds=30)


class StreamRunFailedError(AirflowException):
    """A stream run failed, with this verdict."""

    def __init__(self, sentence: str, verdict: Verdict) -> None:
        super().__init__(sentence)
        self.verdict = verdict


class StreamGuardOperator(BaseOperator):
    """One run of this task is one stream run; it succeeds if the stream ended cleanly."""

    def execute(self, context: Any) -> None:
        """Adopt a healthy driver or plan a new one, and defer to its trigger.

        While the state files cannot be accessed, defer and try again: a run that fails is followed by the next at once.
        """
        stream, token, now = Stream.of(get_settings()), uuid.uuid4().hex, utc_now()
        try:
            chosen = plan(stream.desired_state(), stream.heartbeat(), stream.process(), now, stream.policy, token)
        except StateFilesUnreachableError as error:
            self.log.warning("%s. Trying again in %.0f s", error, _RETRY.total_seconds())
            self.defer(trigger=TimeDeltaTrigger(_RETRY), method_name=self.execute_again.__name__)
        if chosen.token == token:
            wait = (chosen.at - now).total_seconds()
            self.log.info("A new driver with token %s starts in %.0f s (back-off)", token, wait)
        else:
            self.log.info("The driver with token %s is healthy and is adopted", chosen.token)
        trigger = StreamHealthTrigger(chosen.token, chosen.replaces, chosen.at.isoformat())
        self.defer(trigger=trigger, method_name=self.finish.__name__)

    def execute_again(self, context: Any, event: object = None) -> None:
        """Execute, after a wait."""
        self.execute(context)

    def finish(self, context: Any, event: dict[str, str]) -> dict[str, str]:
        """Log how the run ended, with the driver's last lines; fail unless it ended cleanly."""
        verdict = Verdict(event["verdict"])
        sentence = f"{MESSAGES[verdict]} ({event['detail']})"
        self.log.info("%s", sentence)
        if verdict in RESTARTING:
            lines = Stream.of(get_settings()).log_tail(_LOG_LINES)
            self.log.info("The driver's last lines:\n%s", "\n".join(lines))
        if verdict not in SUCCESS:
            raise StreamRunFailedError(f"{sentence}. The next run starts a new driver automatically.", verdict)
        return event
