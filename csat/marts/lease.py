"""The lease that allows one build of the marts at a time, on any machine: a row beside the marts, with an expiry.

Only BigQuery's clock counts. A build that lost its lease, on a machine that was paused, cannot publish: the transaction
that publishes begins with KEEP, which fails where the row has the token of another build.
"""

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC
from typing import Any

from csat.bigquery.client import Warehouse, WarehouseError
from csat.bigquery.query import Query
from csat.contract.errors import CsatError
from csat.contract.polling import poll

LEASE_SECONDS = 300  # less than a build waits: it outlasts a killed one
KEEP = Query.read(__file__, "keep_lease")

_RENEWALS = 5  # in that time
_POLL_SECONDS = 5.0
_CLAIM = Query.read(__file__, "claim_lease")
_LOST = "another build has taken the lease"  # as in KEEP


class LeaseLostError(CsatError):
    """Another build took the lease, because this one had not renewed it in time."""


class Lease:
    """A lease with its own token. Each claim and each renewal is for `seconds`."""

    def __init__(self, warehouse: Warehouse, seconds: int = LEASE_SECONDS) -> None:
        self.token = uuid.uuid4().hex
        self.other = ""  # who had it at the last claim, since when
        self._warehouse = warehouse
        self._seconds = seconds
        self._keeping = threading.Lock()
        self._is_lost = False

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters of KEEP."""
        return {"lease_token": self.token, "lease_seconds": self._seconds}

    def claim(self, holder: str, ended_token: str) -> bool:
        """Take the lease, unless a build has it that has not ended. Raises WarehouseError."""
        tokens = {"token": self.token, "ended_token": ended_token}
        [found] = _CLAIM.rows(self._warehouse, holder=holder, lease_seconds=self._seconds, **tokens)
        if found["token"] == self.token:
            return True
        self.other = f"{found['holder']} since {found['acquired_at'].astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        return False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Renew the lease until the end, then let it expire at once."""
        done = threading.Event()
        renewals = threading.Thread(target=self._renew_until, args=(done,), daemon=True)
        renewals.start()
        try:
            yield
        finally:
            done.set()
            renewals.join()
            with suppress(WarehouseError):
                KEEP.rows(self._warehouse, lease_token=self.token, lease_seconds=0)

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """For a script that contains KEEP: no renewal runs meanwhile. Raises LeaseLostError."""
        with self._keeping:
            try:
                yield
            except WarehouseError as error:
                self._is_lost = self._is_lost or _LOST in str(error)
                self.check()
                raise

    def keep(self) -> None:
        """Renew the lease. Raises LeaseLostError and WarehouseError."""
        with self.keeping():
            KEEP.rows(self._warehouse, **self.parameters)

    def check(self) -> None:
        """Raises LeaseLostError if a renewal has failed because the lease is lost."""
        if self._is_lost:
            raise LeaseLostError(
                f"Another build of the marts took the lease, which this one had not renewed for {self._seconds} s: "
                "readers still see the build before, or the other one",
                "run it again.",
            )

    def _renew_until(self, done: threading.Event) -> None:
        """Renew the lease in time. Where BigQuery does not respond, the next renewal tries again."""
        while not done.wait(self._seconds / _RENEWALS):
            try:
                self.keep()
            except LeaseLostError:
                return  # `check` reports it
            except WarehouseError:
                continue


@contextmanager
def held_lease(
    lease: Lease, holder: str, ended_token: str, progress: Callable[[str], None], wait_seconds: float
) -> Iterator[None]:
    """Wait for the lease, and hold it. Raises CsatError if another build still has it after `wait_seconds`."""
    if not lease.claim(holder, ended_token):
        progress(f"Waiting for another build of the marts: {lease.other}.")
        if not poll(lambda: lease.claim(holder, ended_token), wait_seconds, _POLL_SECONDS):
            raise CsatError(
                f"Another build of the marts still runs after {wait_seconds:g} s: {lease.other}",
                f"wait, or end it: a build that was killed has the lease for at most {LEASE_SECONDS} s.",
            )
    with lease.held():
        yield
