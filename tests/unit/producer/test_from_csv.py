"""The original file's rows become events: day-first times, gaps, new ids, moved to end now."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from csat.event import SurveyResponse
from producer.from_csv import CsvError, read_csv

HEADER = (
    "Unique id,channel_name,category,Sub-category,Customer Remarks,Order_id,order_date_time,Issue_reported at,"
    "issue_responded,Survey_response_Date,Customer_City,Product_category,Item_price,connected_handling_time,"
    "Agent_name,Supervisor,Manager,Tenure Bucket,Agent Shift,CSAT Score"
)
FULL = (
    '7e9ae164-6a8b-4521-a2d4-58f7c9fff13f,Outcall,Product Queries,Life Insurance,"Nice, thanks ??",'
    "c27c9bb4-fa36-4140-9f1f-21009254ffdb,03/07/2023 18:45,01/08/2023 11:13,01/08/2023 11:47,01-Aug-23,PUNE,"
    "Electronics,5671.0,308,Richard Buchanan,Mason Gupta,Jennifer Nguyen,On Job Training,Morning,5"
)
GAPS = (
    "not-a-uuid,Inbound,Returns,Missing,,,,31/08/2023 23:50,31/08/2023 23:58,31-Aug-23,,,,,"
    "Ann Ames,Mason Gupta,Emily Chen,>90,Split,1"
)
TRAP = (
    "b07ec1b0-f376-43b6-86df-ec03da3b2e16,Inbound,Returns,Missing,,,,28/08/2023 09:30,28/08/2023 00:00,28-Aug-23,,,,,"
    "Ann Ames,Mason Gupta,Emily Chen,>90,Split,4"
)
# 10 days and 2 minutes after the file's last answer.
CLOCK = datetime(2023, 9, 11, 0, 0, tzinfo=UTC)


def write(folder: Path, *lines: str) -> Path:
    path = folder / "answers.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def replayed(folder: Path, *rows: str, seed: int = 1) -> list[dict[str, Any]]:
    source = read_csv(write(folder, HEADER, *rows), CLOCK)
    return [json.loads(message.value) for message in source.messages(seed, CLOCK)]


def test_row_becomes_the_event_with_day_first_times(tmp_path: Path) -> None:
    event = replayed(tmp_path, FULL, GAPS)[0]
    assert event.pop("response_id") != "7e9ae164-6a8b-4521-a2d4-58f7c9fff13f"
    assert event == {
        "schema_version": 1,
        "case_id": "7e9ae164-6a8b-4521-a2d4-58f7c9fff13f",
        "channel": "Outcall",
        "category": "Product Queries",
        "sub_category": "Life Insurance",
        "order_id": "c27c9bb4-fa36-4140-9f1f-21009254ffdb",
        "product_category": "Electronics",
        "item_price": 5671.0,
        "customer_city": "PUNE",
        "customer_remarks": "Nice, thanks ??",
        "issue_reported_at": "2023-08-11T11:13:00Z",
        "issue_responded_at": "2023-08-11T11:47:00Z",
        "survey_answered_at": "2023-08-11T11:47:00Z",
        "agent_id": "csv-agent-0002",
        "agent_name": "Richard Buchanan",
        "supervisor_name": "Mason Gupta",
        "manager_name": "Jennifer Nguyen",
        "tenure_bucket": "On Job Training",
        "shift": "Morning",
        "csat_score": 5,
    }


def test_gaps_become_nulls(tmp_path: Path) -> None:
    event = replayed(tmp_path, GAPS)[0]
    names = ("order_id", "product_category", "item_price", "customer_city", "customer_remarks")
    assert [event[name] for name in names] == [None] * 5


def test_response_that_lost_its_time_stays_before_its_report(tmp_path: Path) -> None:
    event = replayed(tmp_path, TRAP, GAPS)[0]
    assert event["issue_reported_at"] == "2023-09-07T09:30:00Z"
    assert event["issue_responded_at"] == "2023-09-07T00:00:00Z"
    assert event["survey_answered_at"] == "2023-09-07T09:30:00Z"


def test_answer_stays_on_its_own_date_when_the_response_has_another(tmp_path: Path) -> None:
    row = TRAP.replace("28/08/2023 00:00", "29/08/2023 08:00")
    assert replayed(tmp_path, row, GAPS)[0]["survey_answered_at"] == "2023-09-07T09:30:00Z"


def test_times_move_by_whole_days_to_end_within_the_last_day(tmp_path: Path) -> None:
    assert replayed(tmp_path, GAPS)[0]["survey_answered_at"] == "2023-09-10T23:58:00Z"


def test_events_fit_the_model_and_have_the_agent_as_key(tmp_path: Path) -> None:
    source = read_csv(write(tmp_path, HEADER, FULL, GAPS, TRAP), CLOCK)
    messages = list(source.messages(1, CLOCK))
    assert source.rows == 3
    assert [message.key for message in messages] == [b"csv-agent-0002", b"csv-agent-0001", b"csv-agent-0001"]
    assert len({SurveyResponse.model_validate_json(message.value).response_id for message in messages}) == 3


def test_ids_are_those_of_the_seed_and_the_clock(tmp_path: Path) -> None:
    source = read_csv(write(tmp_path, HEADER, FULL), CLOCK)
    moments = ((1, CLOCK), (1, CLOCK), (2, CLOCK), (1, CLOCK + timedelta(hours=1)))
    first, again, *others = (json.loads(next(source.messages(*moment)).value)["response_id"] for moment in moments)
    assert first == again
    assert len({first, *others}) == 3


def test_file_without_a_column_is_refused_by_its_name(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER.replace("Issue_reported at", "Issue_reported_at"), FULL)
    with pytest.raises(CsvError, match="lacks the columns: Issue_reported at"):
        read_csv(path, CLOCK)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (FULL.replace("01/08/2023 11:13", "2023-08-01 11:13"), "line 2: a time is not dd/mm/yyyy"),
        (FULL.replace("01-Aug-23", "01-Agosto-23"), "line 2: a time is not dd/mm/yyyy"),
        ("only,three,columns", "line 2: the row has fewer than 20 columns"),
    ],
)
def test_row_that_cannot_be_read_is_named_by_its_line(tmp_path: Path, row: str, problem: str) -> None:
    with pytest.raises(CsvError, match=problem):
        read_csv(write(tmp_path, HEADER, row), CLOCK)


def test_score_out_of_range_is_named_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match=r"line 2: .*csat_score"):
        replayed(tmp_path, FULL[:-1] + "9")


def test_file_that_is_missing_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match=r"nothing\.csv cannot be read"):
        read_csv(tmp_path / "nothing.csv", CLOCK)
    with pytest.raises(CsvError, match="holds no rows"):
        read_csv(write(tmp_path, HEADER), CLOCK)
