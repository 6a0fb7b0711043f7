"""A whole simulation: options in, messages to Kafka, a report of what was really sent."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from kafka import KafkaProducer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from csat.settings import Settings
from producer.cases import milliseconds
from producer.faults import FaultInjector
from producer.from_csv import read_csv
from producer.interrupt import Interrupt, noticed_interrupt
from producer.kafka_client import CreateClient
from producer.message import Message
from producer.options import SimulateOptions
from producer.profile import load_profile
from producer.publish import Publisher
from producer.report import SimulateReport, Tally
from producer.simulate import Simulator

# A live stream sends what is due this often.
TICK_SECONDS = 0.05
# So that a stream that fell behind can still be interrupted.
_MOST_PER_TICK = 1_000
_PROGRESS_STEP = 500


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

    Ctrl-C ends it early and cleanly; a second one at once. The progress bar is drawn on `console` (stderr by default)
    where that is a terminal. Raises PublishError and CsvError.
    """
    edges = edges or Edges()
    console = console or Console(stderr=True)
    began, tally = edges.timer(), Tally()
    simulator, started_at = Simulator(options.seed), edges.clock()
    if options.truth is not None:
        options.truth.write_text(json.dumps(simulator.truths(), indent=1) + "\n", encoding="utf-8")
    history, expected = _history(simulator, options, started_at)
    injector = FaultInjector(options.faults, options.seed, milliseconds(started_at))
    with (
        noticed_interrupt() as interrupt,
        _progress(console) as progress,
        Publisher(settings, tally.add, edges.create_client) as publisher,
    ):
        if expected:
            publisher.send(injector.inject(_shown(progress, "history", expected, _until(interrupt, history))))
        if options.rate is not None:
            live = _live(simulator, options.rate, options.events, edges, interrupt)
            for batch in _shown_batches(progress, options.events, live):
                publisher.send(injector.inject(batch))
                publisher.settle()
        if not interrupt.is_requested:
            publisher.send(injector.rest())
    return tally.report(edges.timer() - began, was_interrupted=interrupt.is_requested)


def _history(simulator: Simulator, options: SimulateOptions, end: datetime) -> tuple[Iterator[Message], int]:
    """The events of the past, and how many they are."""
    if options.from_csv is not None:
        source = read_csv(options.from_csv, end)
        count = min(options.events or source.rows, source.rows)
        return islice(source.messages(options.seed, end), count), count
    count = options.history_events(load_profile().answers_per_day)
    return simulator.history(count, end - timedelta(days=options.history_days), end) if count else iter(()), count


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


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal)


def _shown(progress: Progress, name: str, total: int, messages: Iterable[Message]) -> Iterator[Message]:
    task = progress.add_task(name, total=total)
    for count, message in enumerate(messages, start=1):
        yield message
        if count % _PROGRESS_STEP == 0 or count == total:
            progress.update(task, completed=count)


def _shown_batches(progress: Progress, total: int | None, batches: Iterable[list[Message]]) -> Iterator[list[Message]]:
    task = progress.add_task("live", total=total)
    for batch in batches:
        yield batch
        progress.advance(task, len(batch))
