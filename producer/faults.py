"""Injects faults into a stream of messages by rate, and parses the rates."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from csat.contract.errors import CsatError
from producer.fault_kinds import Fault, spoiled
from producer.message import Message

ALL = "all"
_FAULTS_STREAM = 5
# A copy follows its original after at most this many other messages.
_LONGEST_COPY_GAP = 500
_ROUNDING = 1e-9

FaultRates = Mapping[Fault, float]


def parse_fault_rates(text: str) -> dict[Fault, float]:
    """Rates from "late=0.01,duplicate=0.02"; `all=0.01` sets each fault that is not named. Raises CsatError."""
    rates: dict[str, float] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, rate = (part.strip() for part in item.partition("="))
        if name not in {*Fault, ALL}:
            raise _invalid(f"Unknown fault {name!r}")
        try:
            rates[name] = float(rate)
        except ValueError as error:
            raise _invalid(f"The rate of {name} is {rate!r}, not a number") from error
        if not 0 <= rates[name] <= 1:
            raise _invalid(f"The rate of {name} is {rates[name]:g}")
    by_fault = {fault: rates.get(fault, rates.get(ALL, 0.0)) for fault in Fault}
    if sum(by_fault.values()) > 1 + _ROUNDING:
        raise _invalid(f"The rates add up to {sum(by_fault.values()):g}")
    return {fault: rate for fault, rate in by_fault.items() if rate}


def _invalid(problem: str) -> CsatError:
    names = ", ".join(Fault)
    return CsatError(
        f"{problem}. Faults: {names}, or {ALL} for each of them; rates are 0 to 1, and their sum is at most 1."
    )


class FaultInjector:
    """Injects faults into messages, at most one per message, drawn from the seed and the clock."""

    def __init__(self, rates: FaultRates, seed: int, started_ms: int) -> None:
        self._rng = np.random.default_rng([seed, _FAULTS_STREAM, started_ms])
        self._faults = list(rates)
        self._ends = np.cumsum(list(rates.values())).tolist()
        self._copies: deque[tuple[int, Message]] = deque()
        self._seen = 0

    def inject(self, messages: Iterable[Message]) -> Iterator[Message]:
        """The messages with faults; pending copies come with later messages or from `rest`."""
        for message in messages:
            yield self._spoiled(message) if self._faults else message
            self._seen += 1
            while self._copies and self._copies[0][0] <= self._seen:
                yield self._copies.popleft()[1]

    def rest(self) -> Iterator[Message]:
        """The pending copies."""
        while self._copies:
            yield self._copies.popleft()[1]

    def _spoiled(self, message: Message) -> Message:
        draw = self._rng.random()
        fault = next((fault for fault, end in zip(self._faults, self._ends, strict=True) if draw < end), None)
        if fault is None:
            return message
        if fault is Fault.DUPLICATE:
            due = self._seen + 1 + int(self._rng.integers(_LONGEST_COPY_GAP))
            self._copies.append(
                (max(due, self._copies[-1][0] if self._copies else 0), spoiled(message, fault, self._rng))
            )
            return message
        return spoiled(message, fault, self._rng)
