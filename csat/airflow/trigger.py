"""The trigger that starts and watches the stream's driver in the triggerer, without occupying a worker."""

from collections.abc import AsyncIterator
from datetime import datetime
from functools import cached_property
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from csat.airflow.decide import Plan
from csat.airflow.stream import Stream
from csat.airflow.stream_run import StreamRun
from csat.contract.settings import get_settings


class StreamHealthTrigger(BaseTrigger):
    """Carries out one plan and fires once, with {"verdict", "detail", "token"}, when that stream run ends.

    `start_at` is ISO-8601. A restarted triggerer runs it again: it resumes with the driver of its token.
    """

    def __init__(self, token: str, replaces: str, start_at: str) -> None:
        super().__init__()
        self.token = token
        self.replaces = replaces
        self.start_at = start_at

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, from which any triggerer can recreate this trigger."""
        arguments = {"token": self.token, "replaces": self.replaces, "start_at": self.start_at}
        return f"{type(self).__module__}.{type(self).__name__}", arguments

    @cached_property
    def stream_run(self) -> StreamRun:
        """The stream run that this trigger carries out; created lazily because it reads the settings."""
        plan = Plan(self.token, self.replaces, datetime.fromisoformat(self.start_at))
        return StreamRun(plan, Stream.of(get_settings()))

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Fire once, when the stream run ends."""
        status = await self.stream_run.end()
        yield TriggerEvent({"verdict": status.verdict.value, "detail": status.detail, "token": self.token})

    async def on_kill(self) -> None:
        """Stop the driver: a person marked the run or cleared the task. Not called when the triggerer stops."""
        await self.stream_run.stop("the run was marked or cleared in Airflow")
