"""The trigger that starts and watches the stream's driver, in the triggerer: no worker is held."""

from collections.abc import AsyncIterator
from datetime import datetime
from functools import cached_property
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from csat.settings import get_settings
from guard.decide import Plan
from guard.life import Life
from guard.stream import Stream


class StreamHealthTrigger(BaseTrigger):
    """Carries out one plan and fires once, with {"verdict", "detail", "token"}, when that life of the stream is over.

    `start_at` is ISO-8601. A triggerer that starts again runs it again: it goes on with the driver of its token.
    """

    def __init__(self, token: str, replaces: str, start_at: str) -> None:
        super().__init__()
        self.token = token
        self.replaces = replaces
        self.start_at = start_at

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, from which any triggerer can make this trigger."""
        arguments = {"token": self.token, "replaces": self.replaces, "start_at": self.start_at}
        return f"{type(self).__module__}.{type(self).__name__}", arguments

    @cached_property
    def life(self) -> Life:
        """The life that this trigger carries out; made when first needed, as it reads the settings."""
        plan = Plan(self.token, self.replaces, datetime.fromisoformat(self.start_at))
        return Life(plan, Stream.of(get_settings()))

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Fire once, at the end of the stream's life."""
        look = await self.life.end()
        yield TriggerEvent({"verdict": look.verdict.value, "detail": look.detail, "token": self.token})

    async def on_kill(self) -> None:
        """Stop the driver: a person marked the run or cleared the task (not: the triggerer stops)."""
        await self.life.stop("the run was marked or cleared in Airflow")
