"""The original file's rows become events: gaps, ids of their own, moved to end now, the same whenever they are sent."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csat.contract.event import SurveyResponse
from producer.csv_event import RowReader, event
from producer.csv_layout import Layout
from producer.csv_rows import COLUMNS
from producer.from_csv import CsvOptions, opened_csv
from tests.unit.producer.csv_samples import FULL, GAPS, HEADER, TRAP, row, rows, write

# 10 days and 2 minutes after the file's last response.
CLOCK = datetime(2023, 9, 11, 0, 0, tzinfo=UTC)
ROWS_TO_MEASURE = 4_000


def events(path: Path, options: CsvOptions | None = None, clock: datetime = CLOCK) -> list[dict[str, Any]]:
    with opened_csv(path, clock, options) as source:
        return [json.loads(message.value) for message in source.messages()]


def facts(path: Path) -> dict[str, Any]:
    with opened_csv(path, CLOCK) as source:
        return source.facts()


def test_row_becomes_the_event_with_day_first_times(tmp_path: Path) -> None:
    assert events(write(tmp_path, HEADER, FULL, GAPS))[0] == {
        "response_id": "225e39f1-e8ff-50b2-af8f-881688a60811",
        "schema_version": 1,
        "case_id": "7e9ae164-6a8b-4521-a2d4-58f7c9fff13f",
        "channel": "Outcall",
        "category": "Product Queries",
        "sub_category": "StreamRun Insurance",
        "order_id": "c27c9bb4-fa36-4140-9f1f-21009254ffdb",
        "product_category": "Electronics",
        "item_price": 5671.0,
        "customer_city": "PUNE",
        "customer_remarks": "Nice, thanks ??",
        "issue_reported_at": "2023-08-11T11:13:00Z",
        "issue_responded_at": "2023-08-11T11:47:00Z",
        "survey_answered_at": "2023-08-11T11:47:00Z",
        "agent_id": "csv-agent-272ccf6bdcb0",
        "agent_name": "Richard Buchanan",
        "supervisor_name": "Mason Gupta",
        "manager_name": "Jennifer Nguyen",
        "tenure_bucket": "On Job Training",
        "shift": "Morning",
        "csat_score": 5,
    }


def test_gaps_become_nulls(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, GAPS, row(TRAP, order_id="null", price="NaN", remarks="nan"))
    names = ("order_id", "product_category", "item_price", "customer_city", "customer_remarks")
    assert [[event[name] for name in names] for event in events(path)] == [[None] * 5] * 2
    assert facts(path)["order_ids_not_uuid"] == 0


def test_response_that_lost_its_time_stays_before_its_report(tmp_path: Path) -> None:
    event = events(write(tmp_path, HEADER, TRAP, GAPS))[0]
    assert event["issue_reported_at"] == "2023-09-07T09:30:00Z"
    assert event["issue_responded_at"] == "2023-09-07T00:00:00Z"
    assert event["survey_answered_at"] == "2023-09-07T09:30:00Z"


def test_survey_stays_on_its_own_date_when_the_response_has_another(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, row(TRAP, responded="29/08/2023 08:00"), GAPS)
    assert events(path)[0]["survey_answered_at"] == "2023-09-07T09:30:00Z"


def test_survey_that_knows_its_time_keeps_it(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, row(TRAP, survey="28/08/2023 21:15"), GAPS)
    assert events(path)[0]["survey_answered_at"] == "2023-09-07T21:15:00Z"


def test_times_move_by_whole_days_to_end_within_the_last_day(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, GAPS)
    assert events(path)[0]["survey_answered_at"] == "2023-09-10T23:58:00Z"
    assert facts(path)["moved_days"] == 10


def test_messages_fit_the_model_and_have_the_agent_as_key(tmp_path: Path) -> None:
    with opened_csv(write(tmp_path, HEADER, FULL, GAPS, TRAP), CLOCK) as source:
        assert source.rows == 3
        messages = list(source.messages())
    read = [SurveyResponse.model_validate_json(message.value) for message in messages]
    assert [message.key.decode() for message in messages] == [response.agent_id for response in read]
    assert len({response.response_id for response in read}) == 3
    assert read[0].agent_id != read[1].agent_id == read[2].agent_id


def test_same_row_has_the_same_ids_in_every_file_and_on_every_day(tmp_path: Path) -> None:
    ids = ("response_id", "case_id", "agent_id")
    alone = events(write(tmp_path, HEADER, GAPS))[0]
    among_others = events(write(tmp_path, HEADER, FULL, GAPS, TRAP), clock=CLOCK + timedelta(days=3, hours=1))[1]
    assert [alone[name] for name in ids] == [among_others[name] for name in ids]
    assert alone["response_id"] != alone["case_id"]
    assert UUID(alone["case_id"]).version == 5


def test_case_of_an_id_does_not_make_another_response(tmp_path: Path) -> None:
    upper = FULL.replace("7e9ae164-6a8b", "7E9AE164-6A8B")
    first, second = (events(write(tmp_path, HEADER, line))[0] for line in (FULL, upper))
    assert first == second


def test_row_that_is_there_twice_is_sent_once_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, FULL, GAPS, FULL, FULL)
    assert len(events(path)) == 2
    assert (facts(path)["rows"], facts(path)["repeated_rows"]) == (4, 2)


def test_order_id_that_is_no_uuid_becomes_null_and_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, *rows({"order_id": "OD-17"}, {"order_id": ""}, {}))
    assert [event["order_id"] for event in events(path)] == [None, None, "c27c9bb4-fa36-4140-9f1f-21009254ffdb"]
    assert facts(path)["order_ids_not_uuid"] == 1


@pytest.mark.parametrize("form", ["{}", "{{{}}}", "urn:uuid:{}"])
def test_id_is_sent_in_lower_case_with_hyphens_however_the_file_writes_it(tmp_path: Path, form: str) -> None:
    order = form.format("C27C9BB4-FA36-4140-9F1F-21009254FFDB")
    path = write(tmp_path, HEADER, *rows({"order_id": order}, {"order_id": order.replace("-", "")}))
    assert {event["order_id"] for event in events(path)} == {"c27c9bb4-fa36-4140-9f1f-21009254ffdb"}


def test_padded_name_is_the_same_agent(tmp_path: Path) -> None:
    names = ("Zoë Ames", "  Zoë  Ames ", "\u00a0Zoe\u0308\u2003Ames\u200b", "Zo\u00adë \u2066Ames\u2069")
    found = events(write(tmp_path, HEADER, *rows(*({"agent": name} for name in names))))
    assert {(event["agent_id"], event["agent_name"]) for event in found} == {(found[0]["agent_id"], "Zoë Ames")}


@pytest.mark.parametrize("text", ["5", "5.0", " 5.00 ", "5,0", "+5", "5."])
def test_whole_score_is_a_score_however_it_is_written(tmp_path: Path, text: str) -> None:
    assert events(write(tmp_path, HEADER, row(score=text)))[0]["csat_score"] == 5


@pytest.mark.parametrize(
    ("texts", "prices"),
    [
        (["1,299.00", "5671.0", "0", "979"], [1299.0, 5671.0, 0.0, 979.0]),
        (["1,299", "12.5"], [1299.0, 12.5]),
        (["1.299,00", "1.299", "12,5", "7"], [1299.0, 1299.0, 12.5, 7.0]),
        (["1 299,50", "1\u202f299\u00a0000,00"], [1299.5, 1299000.0]),
        (["1,234,567", "1,299"], [1234567.0, 1299.0]),
        (["0.30000000000000004", "1.299"], [0.3, 1.3]),
    ],
)
def test_prices_are_read_by_the_decimal_mark_of_the_column(
    tmp_path: Path, texts: list[str], prices: list[float]
) -> None:
    found = events(write(tmp_path, HEADER, *rows(*({"price": text} for text in texts))))
    assert [event["item_price"] for event in found] == prices


def test_file_may_change_once_it_was_checked(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, FULL, GAPS)
    with opened_csv(path, CLOCK) as source:
        path.write_text("changed")
        assert len(list(source.messages())) == 2


CELLS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["5", "1", "1,299.00", "0", "01/08/2023 11:13", "2023-08-01T24:00", "01-Aug-23", "29/02/2023 1:00"]
    ),
)


@settings(max_examples=100, deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(COLUMNS, CELLS)))
def test_row_without_a_problem_is_always_an_event(cells: dict[str, str]) -> None:
    reader = RowReader({name: at for at, name in enumerate(COLUMNS)}, Layout(1, "dmy", "."), 2024)
    good = dict(zip(COLUMNS, next(csv.reader([FULL])), strict=True))
    values, problems = reader.values([(good | cells)[name] for name in COLUMNS])
    if not problems:
        assert SurveyResponse.model_validate_json(event(values, timedelta(days=5)).to_message()[1])


def test_reading_is_fast_beside_what_python_needs_to_split_the_rows(tmp_path: Path) -> None:
    """About 12 times as long: 16,000 rows a second where csv.reader splits 200,000 (docs/import.md)."""
    path = write(tmp_path, HEADER, *rows(*({"agent": f"Agent {number % 97}"} for number in range(ROWS_TO_MEASURE))))

    def split() -> float:
        began = process_time()
        with path.open(newline="") as file:
            assert len(list(csv.reader(file))) == ROWS_TO_MEASURE + 1
        return process_time() - began

    def check() -> float:
        began = process_time()
        with opened_csv(path, CLOCK) as source:
            assert source.rows == ROWS_TO_MEASURE
        return process_time() - began

    assert min(check() for _ in range(3)) < 24 * min(split() for _ in range(3))
