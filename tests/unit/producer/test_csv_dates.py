"""In which order a file's dates stand is decided from all of them, refused where they leave it open, or chosen."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from csat.contract.errors import CsatError
from producer.csv_dates import DateOrder, MomentReader
from producer.csv_problems import FieldError
from producer.from_csv import CsvOptions, opened_csv
from tests.unit.producer.csv_samples import HEADER, rows, write

CLOCK = datetime(2023, 9, 11, tzinfo=UTC)
Dates = tuple[str, str, str]


def file(folder: Path, *dates: Dates) -> Path:
    return write(
        folder, HEADER, *rows(*(dict(zip(("reported", "responded", "survey"), row, strict=True)) for row in dates))
    )


def read(path: Path, order: DateOrder | None = None, *, allow_span: bool = False) -> tuple[str, list[str]]:
    """The order, and when the rows' surveys were answered, in the file's own days."""
    with opened_csv(path, CLOCK, CsvOptions(order, allow_span)) as source:
        moments = [json.loads(message.value)["survey_answered_at"] for message in source.messages()]
        own = [datetime.fromisoformat(moment) - source.shift for moment in moments]
        return source.layout.date_order, [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in own]


def refusal(path: Path, order: DateOrder | None = None) -> str:
    with pytest.raises(CsatError) as caught:
        read(path, order)
    return str(caught.value).replace(str(path), path.name)


FILES: dict[str, tuple[list[Dates], str, list[str]]] = {
    "the original": ([("01/08/2023 11:13", "01/08/2023 11:47", "01-Aug-23")], "dmy", ["2023-08-01 11:47:00"]),
    "four digits": ([("31/08/2023 11:13", "31/08/2023 11:47", "31-Aug-2023")], "dmy", ["2023-08-31 11:47:00"]),
    "two digits": ([("31/08/23 1:13", "31/08/23 1:47", "31/08/23")], "dmy", ["2023-08-31 01:47:00"]),
    "day above 12": (
        [("13/08/2023 11:13", "13/08/2023 11:47", "13/08/2023"), ("01/08/2023 9:00", "01/08/2023 9:01", "01/08/2023")],
        "dmy",
        ["2023-08-13 11:47:00", "2023-08-01 09:01:00"],
    ),
    "US": (
        [
            ("8/1/2023 11:13 AM", "8/1/2023 1:47:09 PM", "8/1/2023"),
            ("8/31/2023 12:13 AM", "8/31/2023 12:47 am", "8/31/2023"),
        ],
        "mdy",
        ["2023-08-01 13:47:09", "2023-08-31 00:47:00"],
    ),
    "US with named survey": ([("8/1/2023 11:13", "8/1/2023 11:47", "Aug 1, 2023")], "mdy", ["2023-08-01 11:47:00"]),
    "named survey decides": ([("8/1/2023 11:13", "8/1/2023 11:47", "1-Aug-23")], "mdy", ["2023-08-01 11:47:00"]),
    "ISO": ([("2023-08-01T11:13:00Z", "2023-08-01 11:47", "2023-08-01")], "dmy", ["2023-08-01 11:47:00"]),
    "offset": ([("2023-08-02T00:13:00+05:30", "2023-08-02T00:43+0530", "2023-08-01")], "dmy", ["2023-08-01 19:13:00"]),
    "German": ([("13.08.2023 11:13", "13.08.2023 11:47:12", "13.08.2023")], "dmy", ["2023-08-13 11:47:12"]),
    "year first, two digits": ([("23/08/31 11:13", "23/08/31 11:47", "23/08/31")], "ymd", ["2023-08-31 11:47:00"]),
    "long months": ([("1 August 2023, 11:13", "01 Sept 2023 11:47", "1-Sep-23")], "dmy", ["2023-09-01 11:47:00"]),
    "dates and times of pandas": (
        [("2023-08-01 11:13:00", "2023-08-01 11:47:00.000", "2023-08-01 00:00:00")],
        "dmy",
        ["2023-08-01 11:47:00"],
    ),
}


@pytest.mark.parametrize(("dates", "order", "answered"), FILES.values(), ids=FILES)
def test_dates_are_read_in_the_order_of_the_whole_file(
    tmp_path: Path, dates: list[Dates], order: str, answered: list[str]
) -> None:
    assert read(file(tmp_path, *dates)) == (order, answered)


AMBIGUOUS = ("8/1/2023 11:13", "8/1/2023 11:47", "8/1/2023")


def test_order_that_stays_open_is_refused_and_chosen_by_the_option(tmp_path: Path) -> None:
    path = file(tmp_path, ("2023-08-01 09:00", "2023-08-01 09:01", "01-Aug-23"), AMBIGUOUS)
    assert refusal(path) == (
        "responses.csv, line 3: '8/1/2023' is 2023-01-08 (dmy) or 2023-08-01 (mdy), and no other date decides, "
        "fix: choose by --date-order"
    )
    assert read(path, "mdy") == ("mdy", ["2023-08-01 09:01:00", "2023-08-01 11:47:00"])
    assert read(path, "dmy") == ("dmy", ["2023-08-01 09:01:00", "2023-01-08 11:47:00"])


@pytest.mark.parametrize("column", [0, 1, 2])
def test_two_orders_in_one_file_are_refused_in_whichever_column(tmp_path: Path, column: int) -> None:
    dates = ["13/08/2023 11:13", "13/08/2023 11:47", "13/08/2023"]
    other = [*dates[:column], ("8/14/2023 11:50", "8/14/2023 11:50", "8/14/2023")[column], *dates[column + 1 :]]
    path = file(tmp_path, AMBIGUOUS, (dates[0], dates[1], dates[2]), (other[0], other[1], other[2]))
    name = ("Issue_reported at", "issue_responded", "Survey_response_Date")[column]
    assert refusal(path) == (
        f"responses.csv, line 4: {name} '8/14/2023' has the order mdy, the dates before it have dmy, "
        "fix: write it like 2023-08-31, or choose one by --date-order and correct the rows that do not fit it"
    )
    chosen = refusal(path, "dmy")
    assert chosen.startswith("responses.csv: 1 row cannot be sent, so nothing was sent\n  responses.csv, line 4: ")
    assert "is no day of the calendar in the order dmy" in chosen


def test_chosen_order_that_a_date_does_not_fit_is_refused_by_the_row(tmp_path: Path) -> None:
    path = file(tmp_path, ("31/08/2023 11:13", "31/08/2023 11:47", "31-Aug-23"))
    assert "line 2: issue_responded '31/08/2023 11:47' does not fit the order ymd" in refusal(path, "ymd")


def test_dates_over_more_than_a_year_need_the_option(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        ("31/08/2022 11:13", "31/08/2022 11:47", "31-Aug-22"),
        ("01/09/2023 11:13", "02/09/2023 11:47", "02-Sep-23"),
    )
    assert refusal(path) == (
        "responses.csv: the dates run from 2022-08-31 (line 2) to 2023-09-02 (line 3), more than a year, "
        "fix: correct the year, or allow it by --allow-span"
    )
    assert len(read(path, allow_span=True)[1]) == 2


def test_report_of_another_year_is_found_by_the_span(tmp_path: Path) -> None:
    path = file(tmp_path, ("13/08/2013 11:13", "13/08/2023 11:47", "13-Aug-23"))
    assert "the dates run from 2013-08-13 (line 2) to 2023-08-13 (line 2)" in refusal(path)


@pytest.mark.parametrize("text", ["1/8/2023 12:00 AM", "1/8/2023 12:00 PM", "1/8/2023 00:30 AM"])
def test_twelve_o_clock_is_midnight_and_noon(text: str) -> None:
    moment = MomentReader("dmy", 2024).moment
    if text.startswith("1/8/2023 00"):
        with pytest.raises(FieldError, match="no clock shows"):
            moment(text)
    else:
        assert moment(text).hour == (0 if text.endswith("AM") else 12)
