"""A whole simulation against a fake Kafka client: what is sent, when, and what is reported."""

import json
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from producer.faults import parse_fault_rates
from producer.interrupt import noticed_interrupt
from producer.options import SimulateOptions
from producer.run import Edges, simulate

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
Create = Callable[..., Any]


class FakeTime:
    """A clock that advances only by sleeping."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def timer(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def settings() -> Settings:
    return Settings.model_construct()


@pytest.fixture
def edges(create_client: Create) -> Edges:
    time = FakeTime()
    return Edges(clock=time.now, timer=time.timer, sleep=time.sleep, create_client=create_client)


def answered(client: Any) -> list[datetime]:
    return [datetime.fromisoformat(json.loads(value)["survey_answered_at"]) for _, _, value in client.sent]


def test_days_alone_send_the_daily_mean(settings: Settings, edges: Edges, client: Any) -> None:
    report = simulate(settings, SimulateOptions(days=2), edges=edges)
    assert report.sent == len(client.sent) == 5_542
    assert START - timedelta(days=2) <= min(answered(client)) < START - timedelta(days=1)
    assert max(answered(client)) <= START


def test_history_that_begins_before_what_the_stream_accepts_is_refused(edges: Edges, client: Any) -> None:
    settings = Settings.model_construct(max_days_old=30)
    with pytest.raises(CsatError, match=r"--days 30.*CSAT_MAX_DAYS_OLD.* fix: give 29 or less"):
        simulate(settings, SimulateOptions(days=30, events=1), edges=edges)
    assert client.sent == []
    assert simulate(settings, SimulateOptions(days=29, events=1), edges=edges).sent == 1


def test_events_alone_are_a_history_of_one_day(settings: Settings, edges: Edges, client: Any) -> None:
    report = simulate(settings, SimulateOptions(events=300), edges=edges)
    assert report.sent == 300
    assert min(answered(client)) >= START - timedelta(days=1)
    assert report.first_survey_answered_at == min(answered(client))
    assert report.last_survey_answered_at == max(answered(client))


def test_rate_sends_n_per_second_with_the_current_response_time(settings: Settings, edges: Edges, client: Any) -> None:
    report = simulate(settings, SimulateOptions(rate=10, events=31), edges=edges)
    assert report.sent == 31
    assert report.seconds == pytest.approx(3, abs=0.1)
    assert answered(client)[0] == START
    assert answered(client)[-1] == pytest.approx(START + timedelta(seconds=3), abs=timedelta(seconds=0.1))


def test_history_comes_before_live(settings: Settings, edges: Edges, client: Any) -> None:
    report = simulate(settings, SimulateOptions(days=1, rate=100, events=48), edges=edges)
    assert report.sent == 96
    assert max(answered(client)[:48]) <= START <= min(answered(client)[48:])


def test_same_seed_and_clock_send_the_same_bytes(settings: Settings, make_client: Create) -> None:
    sent = []
    for _ in range(2):
        client, time = make_client(), FakeTime()
        edges = Edges(time.now, time.timer, time.sleep, lambda client=client, **_: client)
        options = SimulateOptions(days=1, rate=50, events=100, seed=5, faults=parse_fault_rates("all=0.05"))
        simulate(settings, options, edges=edges)
        sent.append(client.sent)
    assert sent[0] == sent[1]


def test_reported_faults_are_the_sent_ones(settings: Settings, edges: Edges, client: Any) -> None:
    options = SimulateOptions(events=2_000, faults=parse_fault_rates("duplicate=0.1,out_of_range=0.1"))
    report = simulate(settings, options, edges=edges)
    values = [value for _, _, value in client.sent]
    bad = sum(json.loads(value)["csat_score"] not in range(1, 6) for value in values)
    assert report.faults == {"duplicate": len(values) - 2_000, "out_of_range": bad}
    assert report.rejected_by_reason == {"csat_score out of range": bad}
    assert report.expected_distinct_responses == len(set(values)) - bad == 2_000 - bad


def test_pending_copies_come_at_the_end(settings: Settings, edges: Edges, client: Any) -> None:
    report = simulate(settings, SimulateOptions(events=100, faults=parse_fault_rates("duplicate=1")), edges=edges)
    assert report.faults == {"duplicate": 100}
    assert len(client.sent) == 200


def test_signal_handlers_are_restored_after_the_work() -> None:
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in signals]
    with noticed_interrupt() as interrupt:
        signal.raise_signal(signal.SIGTERM)
    assert interrupt.is_requested
    assert [signal.getsignal(number) for number in signals] == before


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """SIGINT as in a terminal: a test that runs in the background inherits it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_second_interrupt_ends_the_work_at_once() -> None:
    with noticed_interrupt() as interrupt:
        signal.raise_signal(signal.SIGINT)
        assert interrupt.is_requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_interrupt_ends_with_a_flush_and_the_report_of_what_was_sent(
    settings: Settings, edges: Edges, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGINT)
    send = client.send

    def send_and_interrupt(topic: str, **message: Any) -> Any:
        if len(client.sent) == 99:
            signal.raise_signal(signal.SIGINT)
        return send(topic, **message)

    monkeypatch.setattr(client, "send", send_and_interrupt)
    report = simulate(settings, SimulateOptions(days=1, rate=5), edges=edges)
    assert report.was_interrupted
    assert report.sent == len(client.sent) == 100
    assert client.calls == ["flush", "close"]
    assert signal.getsignal(signal.SIGINT) is before


def test_truth_file_has_every_agent(settings: Settings, edges: Edges, tmp_path: Path) -> None:
    simulate(settings, SimulateOptions(events=1, truth=tmp_path / "truth.json"), edges=edges)
    truths = json.loads((tmp_path / "truth.json").read_text())
    assert len(truths) == 1_371
    assert set(truths["agent-0001"]) == {"true_csat_rate", "effect", "weight"}


def test_progress_is_drawn_on_a_terminal_only(settings: Settings, edges: Edges) -> None:
    texts = []
    for is_terminal in (True, False):
        file = StringIO()
        console = Console(file=file, force_terminal=is_terminal, width=100)
        simulate(settings, SimulateOptions(events=20), console, edges)
        texts.append(file.getvalue())
    assert "history" in texts[0]
    assert "20/20" in texts[0]
    assert texts[1] == ""


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, "give --events, --days, --rate or --from-csv"),
        ({"events": 0}, "--events must be more than 0"),
        ({"rate": -1.0}, "--rate must be more than 0"),
        ({"events": 1, "seed": -1}, "--seed must be 0 or more"),
        ({"from_csv": Path("a.csv"), "days": 3}, "leave --days and --truth out"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], named: str) -> None:
    with pytest.raises(CsatError, match=named):
        SimulateOptions(**options)
