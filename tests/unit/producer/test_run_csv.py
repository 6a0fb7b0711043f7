"""A file through a whole simulation: nothing is sent before it is checked, and it is said exactly what was."""

import json
import signal
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError
from rich.console import Console

from csat.cli.main import run
from csat.contract.errors import CsatError
from csat.contract.settings import Settings, get_settings
from producer.faults import parse_fault_rates
from producer.kafka_client import DeliveryError
from producer.options import SimulateOptions
from producer.progress import Watch
from producer.run import Edges, simulate
from tests.unit.producer.csv_samples import HEADER, rows, write

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SETTINGS = Settings.model_construct(kafka_bootstrap_servers="broker:9092", kafka_topic="messages")
Create = Callable[..., Any]


@pytest.fixture
def edges(create_client: Create) -> Edges:
    return Edges(clock=lambda: START, timer=lambda: 0.0, create_client=create_client)


@pytest.fixture
def console() -> Console:
    return Console(file=StringIO(), width=1_000)


def edges_of(now: datetime, client: Any) -> Edges:
    return Edges(lambda: now, lambda: 0.0, create_client=lambda **_: client)


def said(console: Console) -> list[str]:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def ids(client: Any) -> list[str]:
    return [json.loads(value)["response_id"] for _, _, value in client.sent]


def test_report_says_what_was_read_and_made_of_the_file(
    tmp_path: Path, edges: Edges, client: Any, console: Console
) -> None:
    lines = rows({"order_id": "17"}, {}, {})
    path = write(tmp_path, f"{HEADER},Notes", *(f"{line},x" for line in [*lines, lines[1]]))
    report = simulate(SETTINGS, SimulateOptions(from_csv=path), console, edges).as_dict()
    assert report["sent"] == report["expected_distinct_responses"] == len(client.sent) == 3
    assert report["file"] == {
        "rows": 4,
        "repeated_rows": 1,
        "order_ids_not_uuid": 1,
        "extra_columns": ["Notes"],
        "encoding": "utf-8",
        "delimiter": ",",
        "date_order": "dmy",
        "moved_days": 1207,
    }
    assert said(console) == [
        f"{path}: 4 rows checked, dates move by 1,207 days to end now",
        "warning: columns that are not sent: Notes",
        "warning: rows that repeat another, sent once: 1",
        "warning: order ids that are not UUIDs, sent as null: 1",
    ]


def test_report_of_a_made_up_history_has_no_file(edges: Edges) -> None:
    assert "file" not in simulate(SETTINGS, SimulateOptions(events=1), edges=edges).as_dict()


def test_bad_last_row_keeps_all_rows_from_being_sent_or_a_client_from_being_made(tmp_path: Path) -> None:
    def never(**_: Any) -> Any:
        pytest.fail("a client was made")

    path = write(tmp_path, HEADER, *rows(*[{}] * 50, {"score": "7"}))
    with pytest.raises(CsatError, match="line 52: CSAT Score '7'"):
        simulate(SETTINGS, SimulateOptions(from_csv=path), edges=Edges(create_client=never))


def test_same_file_sent_twice_has_the_same_ids(tmp_path: Path, make_client: Create) -> None:
    path = write(tmp_path, HEADER, *rows({}, {}, {}))
    sent = []
    for seed, day in ((1, 20), (2, 22)):
        client = make_client()
        now = START.replace(day=day)
        simulate(SETTINGS, SimulateOptions(from_csv=path, seed=seed), edges=edges_of(now, client))
        sent.append(ids(client))
    assert sent[0] == sent[1]
    assert len(set(sent[0])) == 3


def test_events_take_the_first_rows_of_a_file_that_is_checked_as_a_whole(
    tmp_path: Path, edges: Edges, client: Any, console: Console
) -> None:
    good, bad = rows({}, {}, {}), rows({}, {}, {"score": "x"})
    simulate(SETTINGS, SimulateOptions(from_csv=write(tmp_path, HEADER, *good), events=2), console, edges)
    assert len(client.sent) == 2
    assert len(said(console)) == 1
    with pytest.raises(CsatError, match="line 4: CSAT Score 'x'"):
        simulate(SETTINGS, SimulateOptions(from_csv=write(tmp_path, HEADER, *bad), events=2), console, edges)


def test_live_responses_follow_a_file(tmp_path: Path, create_client: Create, client: Any) -> None:
    seconds = [0.0]
    edges = Edges(
        lambda: START, lambda: seconds[0], lambda pause: seconds.__setitem__(0, seconds[0] + pause), create_client
    )
    path = write(tmp_path, HEADER, *rows({}, {}, {}))
    report = simulate(SETTINGS, SimulateOptions(from_csv=path, rate=10, events=2), edges=edges)
    assert report.sent == len(client.sent) == 4
    assert [key.startswith(b"csv-") for _, key, _ in client.sent] == [True, True, False, False]


@pytest.mark.parametrize("faults", ["", "duplicate=1"])
def test_ctrl_c_says_how_many_rows_were_sent(
    tmp_path: Path, edges: Edges, client: Any, console: Console, monkeypatch: pytest.MonkeyPatch, faults: str
) -> None:
    send = client.send

    def send_and_interrupt(topic: str, **message: Any) -> Any:
        if len(client.sent) == 1_299:  # a copy comes up to 500 messages later
            signal.raise_signal(signal.SIGINT)
        return send(topic, **message)

    monkeypatch.setattr(client, "send", send_and_interrupt)
    path = write(tmp_path, HEADER, *rows(*[{}] * 1_500))
    options = SimulateOptions(from_csv=path, faults=parse_fault_rates(faults))
    report = simulate(SETTINGS, options, console, edges)
    assert report.was_interrupted
    assert report.sent == len(client.sent) >= 1_300
    assert said(console)[-1] == (
        f"sent {len(set(ids(client))):,} of 1,500 rows of {path}, "
        "fix: send the file again: a response that is sent twice counts once"
    )


def test_broker_that_stops_taking_leaves_a_line_of_what_it_confirmed(
    tmp_path: Path, edges: Edges, client: Any, console: Console
) -> None:
    client.failures = {7: KafkaTimeoutError()}
    path = write(tmp_path, HEADER, *rows(*[{}] * 20))
    with pytest.raises(DeliveryError):
        simulate(SETTINGS, SimulateOptions(from_csv=path), console, edges)
    assert said(console)[-1].startswith(f"sent 19 of 20 rows of {path}, fix: send the file again")


def test_ctrl_c_while_the_file_is_read_says_that_nothing_was_sent(
    tmp_path: Path, edges: Edges, client: Any, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("producer.from_csv.checked", interrupt)
    path = write(tmp_path, HEADER, *rows({}))
    with pytest.raises(KeyboardInterrupt):
        simulate(SETTINGS, SimulateOptions(from_csv=path), console, edges)
    assert said(console) == [f"interrupted while {path} was read: nothing was sent"]
    assert client.sent == []


def test_progress_is_a_line_with_the_time_left_every_ten_seconds_where_there_is_no_terminal() -> None:
    console, seconds = Console(file=StringIO(), width=200), [0.0]
    with Watch(console, lambda: seconds[0]) as watch:
        for _ in watch.items("checking", 10_000, range(10_000)):
            seconds[0] += 0.0025
    assert said(console) == [
        "checking: 4,000 of 10,000, about 15 s left",
        "checking: 8,000 of 10,000, about 5 s left",
    ]


def test_reading_checking_and_sending_are_drawn_on_a_terminal(tmp_path: Path, edges: Edges) -> None:
    console = Console(file=StringIO(), force_terminal=True, width=100)
    simulate(SETTINGS, SimulateOptions(from_csv=write(tmp_path, HEADER, *rows(*[{}] * 3))), console, edges)
    text = "\n".join(said(console))
    assert all(name in text for name in ("reading", "checking", "sending", "3/3"))


@pytest.mark.parametrize("options", [{"date_order": "dmy"}, {"allow_span": True}])
def test_options_of_a_file_without_a_file_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(CsatError, match="give --from-csv, or leave them out"):
        SimulateOptions(events=1, **options)


@pytest.fixture
def listening_kafka(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Something that accepts connections where Kafka should be."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("CSAT_KAFKA_PORT", str(server.getsockname()[1]))
        get_settings.cache_clear()
        yield
    get_settings.cache_clear()


@pytest.mark.usefixtures("listening_kafka")
def test_command_passes_the_options_on_and_prints_the_problem_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dates = {"reported": "8/1/2023 11:13", "responded": "8/1/2023 11:47", "survey": "8/1/2023"}
    path = write(tmp_path, HEADER, *rows(dates, {**dates, "survey": "8/1/2021", "price": "x"}))
    command = ["simulate", "--from-csv", str(path), "--json"]
    assert run(command) == 1
    assert capsys.readouterr().err.startswith(f"error: {path}, line 2: '8/1/2023' is 2023-01-08 (dmy) or ")
    assert run([*command, "--date-order", "mdy"]) == 1
    assert "line 3: Item_price 'x' is not a price, fix: " in capsys.readouterr().err
    path = write(tmp_path, HEADER, *rows(dates, {**dates, "survey": "8/1/2021"}))
    assert run([*command, "--date-order", "mdy"]) == 1
    assert "2021-08-01 (line 3) to 2023-08-01 (line 2), more than a year, fix: " in capsys.readouterr().err
    assert run([*command, "--date-order", "ydm"]) == 2


@pytest.mark.usefixtures("listening_kafka")
def test_command_prints_what_was_read_whatever_the_columns_are_called(
    tmp_path: Path, create_client: Create, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("producer.run.Edges", lambda: Edges(create_client=create_client))
    path = write(tmp_path, f"{HEADER},[/red]", *(f"{line},1" for line in rows({}, {})))
    assert run(["simulate", "--from-csv", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "['[/red]']" in shown
    assert "order_ids_not_uuid" in shown
