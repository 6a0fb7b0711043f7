"""The load on the target: a producer that sends events until it is stopped, and can be paused."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from csat.contract.settings import Settings, environment
from csat.local.programs import PYTHON

CSAT = str(PYTHON.with_name("csat"))
_STOP_SECONDS = 150


class Load:
    """A producer of `rate` events a second."""

    def __init__(self, settings: Settings, seed: int, rate: float) -> None:
        self._settings = settings
        self._command = [CSAT, "simulate", "--wait", "--rate", str(rate), "--seed", str(seed)]
        self._producer: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the producer."""
        with (self._settings.state / "logs" / "load.log").open("ab") as log:
            self._producer = subprocess.Popen(
                self._command,
                env=environment(**self._settings.as_environment()),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def stop(self) -> None:
        """Stop it once its last events are confirmed. Raises RuntimeError where it ended by itself."""
        if self._producer is None:
            return
        producer, self._producer = self._producer, None
        code = producer.poll()
        producer.send_signal(signal.SIGINT)
        producer.wait(_STOP_SECONDS)
        if code is not None:
            raise RuntimeError(f"the producer ended with {code}: see {self._settings.state}/logs/load.log")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No event is sent inside."""
        self.stop()
        try:
            yield
        finally:
            self.start()
