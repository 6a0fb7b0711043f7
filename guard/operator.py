"""The task that is the stream: it starts or adopts a driver, waits without a worker, and says how it ended."""

import uuid
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException

from csat.health import RESTARTING, Verdict
from csat.settings import get_settings
from guard.decide import SUCCESS, WORDS, plan
from guard.life import utc_now
from guard.stream import Stream
from guard.trigger import StreamHealthTrigger

_LOG_LINES = 40


class StreamEndedError(AirflowException):
    """A life of the stream ended in disorder, with this verdict."""

    def __init__(self, sentence: str, verdict: Verdict) -> None:
        super().__init__(sentence)
        self.verdict = verdict


class StreamGuardOperator(BaseOperator):
    """One run of this task is one life of the stream; it succeeds when that ended in good order."""

    def execute(self, context: Any) -> None:
        """Adopt the driver that runs well, or plan a new one, and defer to its trigger."""
        stream, token, now = Stream.of(get_settings()), uuid.uuid4().hex, utc_now()
        chosen = plan(stream.control(), stream.health(), stream.process(), now, stream.policy, token)
        if chosen.token == token:
            wait = (chosen.at - now).total_seconds()
            self.log.info("A new driver with token %s starts in %.0f s (back-off)", token, wait)
        else:
            self.log.info("The driver with token %s runs well and is adopted", chosen.token)
        trigger = StreamHealthTrigger(chosen.token, chosen.replaces, chosen.at.isoformat())
        self.defer(trigger=trigger, method_name=self.finish.__name__)

    def finish(self, context: Any, event: dict[str, str]) -> dict[str, str]:
        """Log how the life ended, with the driver's last lines; fail the run unless it ended in good order."""
        verdict = Verdict(event["verdict"])
        sentence = f"{WORDS[verdict]} ({event['detail']})"
        self.log.info("%s", sentence)
        if verdict in RESTARTING:
            lines = Stream.of(get_settings()).log_tail(_LOG_LINES)
            self.log.info("The driver's last lines:\n%s", "\n".join(lines))
        if verdict not in SUCCESS:
            raise StreamEndedError(f"{sentence}. The next run starts a new driver by itself.", verdict)
        return event
