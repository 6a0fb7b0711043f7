"""A whole simulation: options in, messages to Kafka, a report of what was really sent."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from kafka import KafkaProducer
from rich.console import Console

from csat.contract.settings import Settings
from producer.cases import milliseconds
from producer.fault_kinds import Fault
from producer.faults import FaultInjector
from producer.from_csv import CsvSource, opened_csv
from producer.interrupt import Interrupt, noticed_interrupt
from producer.kafka_client import CreateClient
from producer.message import Message
from producer.options import SimulateOptions
from producer.profile import load_profile
from producer.progress import Watch
from producer.publish import Publisher
from producer.report import SimulateReport, Tally
from producer.simulate import Simulator

# A live stream sends what is due this often.
TICK_SECONDS = 0.05
# So that a stream that fell behind can still be interrupted.
_MOST_PER_TICK = 1_000


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Edges:
    """What a simulation touches of the world: the time, a stop watch, sleep, and the Kafka client."""

    clock: Callable[[], datetime] = utc_now
    timer: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    create_client: CreateClient = KafkaProducer


def simulate(
    settings: Settings, options: SimulateOptions, console: Console | None = None, edges: Edges | None = None
) -> SimulateReport:
    """Send what the options ask for, and report what the broker confirmed.

    Ctrl-C ends it early and cleanly; a second one at once. Progress is shown on `console` (stderr by default). A file
    is read and checked before anything is sent. Raises CsatError.
    """
    edges = edges or Edges()
    options.check_age(settings.max_days_old)
    began, tally = edges.timer(), Tally()
    simulator, started_at = Simulator(options.seed), edges.clock()
    if options.truth is not None:
        options.truth.write_text(json.dumps(simulator.truths(), indent=1) + "\n", encoding="utf-8")
    injector = FaultInjector(options.faults, options.seed, milliseconds(started_at))
    with ExitStack() as stack:
        watch = stack.enter_context(Watch(console or Console(stderr=True), edges.timer))
        history = _history(settings, simulator, options, started_at, watch, stack)
        stack.callback(history.say_unfinished, tally, watch)
        interrupt = stack.enter_context(noticed_interrupt())
        publisher = stack.enter_context(Publisher(settings, tally.add, edges.create_client))
        if history.count:
            shown = watch.items("sending" if history.source else "history", history.count, history.messages)
            publisher.send(injector.inject(_until(interrupt, shown)))
        if options.rate is not None:
            live = _live(simulator, options.rate, options.events, edges, interrupt)
            for batch in watch.batches("live", options.events, live):
                publisher.send(injector.inject(batch))
                publisher.settle()
        if not interrupt.is_requested:
            publisher.send(injector.rest())
    facts = history.source.facts() if history.source else None
    return tally.report(edges.timer() - began, was_interrupted=interrupt.is_requested, file=facts)


@dataclass(frozen=True)
class _History:
    """The messages of the past, how many they are, and the file that they come from, if any."""

    messages: Iterator[Message]
    count: int
    source: CsvSource | None = None

    def say_unfinished(self, tally: Tally, watch: Watch) -> None:
        """Say how much of a file was sent where that is not all."""
        rows = tally.sent - tally.faults[Fault.DUPLICATE]
        if self.source and rows < self.count:
            watch.say(
                f"sent {rows:,} of {self.count:,} rows of {self.source.sheet.copy.path}, "
                "fix: send the file again: a response that is sent twice counts once"
            )


def _history(
    settings: Settings, simulator: Simulator, options: SimulateOptions, end: datetime, watch: Watch, stack: ExitStack
) -> _History:
    if options.from_csv is None:
        count = options.history_events(load_profile().responses_per_day)
        start = end - timedelta(days=options.history_days)
        return _History(simulator.history(count, start, end) if count else iter(()), count)
    try:
        csv_options = options.csv(settings.max_days_old)
        source = stack.enter_context(opened_csv(options.from_csv, end, csv_options, watch.items))
    except KeyboardInterrupt:
        watch.say(f"interrupted while {options.from_csv} was read: nothing was sent")
        raise
    for note in source.notes():
        watch.say(note)
    count = min(options.events or source.rows, source.rows)
    return _History(islice(source.messages(), count), count, source)


def _live(
    simulator: Simulator, rate: float, events: int | None, edges: Edges, interrupt: Interrupt
) -> Iterator[list[Message]]:
    """Batches of what is due, each answered now; the first event is due at once."""
    began, made = edges.timer(), 0
    while not interrupt.is_requested and (events is None or made < events):
        due = int((edges.timer() - began) * rate) + 1 - made
        count = min(due, _MOST_PER_TICK, due if events is None else events - made)
        if count > 0:
            yield list(simulator.live(made, count, edges.clock()))
            made += count
        else:
            edges.sleep(TICK_SECONDS)


def _until(interrupt: Interrupt, messages: Iterable[Message]) -> Iterator[Message]:
    for message in messages:
        if interrupt.is_requested:
            return
        yield message
