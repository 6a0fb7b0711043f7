"""What a file may not be: each fault is refused with file, line, column, value and fix, before anything is sent."""

import gzip
import os
import re
import socket
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from csat.contract.errors import CsatError
from producer.csv_dates import DateOrder
from producer.from_csv import CsvOptions, opened_csv
from tests.unit.producer.csv_samples import FULL, GAPS, HEADER, TRAP, row, rows, write

CLOCK = datetime(2023, 9, 11, tzinfo=UTC)


def refusal(path: Path, order: DateOrder | None = None, *, allow_span: bool = False) -> str:
    """The message, with the name of the file alone in it."""
    with pytest.raises(CsatError) as caught, opened_csv(path, CLOCK, CsvOptions(order, allow_span)):
        pass
    return str(caught.value).replace(str(path), path.name)


def rows_refused(text: str) -> list[str]:
    """The rows that a message lists."""
    return [line.removeprefix("  responses.csv, ") for line in text.splitlines()[1:]]


def make_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "")


NOT_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda _: None, "cannot be read: No such file or directory, fix: name a file that exists"),
    "folder": (Path.mkdir, "is a folder, fix: name a regular file"),
    "pipe": (os.mkfifo, "is a pipe or a device, fix: name a regular file"),
    "empty": (Path.touch, "is empty, fix: name the file that holds the responses"),
    "only blank lines": (
        lambda path: path.write_text("\n \n"),
        "is empty, fix: name the file that holds the responses",
    ),
    "gzip": (lambda path: path.write_bytes(gzip.compress(b"a")), "is a gzip file, fix: unpack it with gunzip"),
    "xlsx": (make_zip, "is a zip archive or an Excel workbook (.xlsx), fix: unpack it with unzip, or save it as CSV"),
    "xls": (lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "is an old Excel workbook (.xls), fix"),
    "parquet": (lambda path: path.write_bytes(b"PAR1\x15\x04"), "is a Parquet file, fix: save it as CSV in UTF-8"),
    "pdf": (lambda path: path.write_bytes(b"%PDF-1.7\n"), "is a PDF document, fix: save it as CSV in UTF-8"),
    "html": (
        lambda path: path.write_text("\n<!doctype html>"),
        "is an HTML or XML page, fix: download the file itself",
    ),
    "json": (lambda path: path.write_text('[{"a": 1}]'), "is a JSON document, fix: save it as CSV in UTF-8"),
    "header alone": (lambda path: path.write_text(HEADER), "has a header and no rows, fix: name the file"),
}


@pytest.mark.parametrize(("make", "problem"), NOT_FILES.values(), ids=NOT_FILES)
def test_what_is_no_csv_file_is_refused_by_its_kind(
    tmp_path: Path, make: Callable[[Path], object], problem: str
) -> None:
    path = tmp_path / "responses.csv"
    make(path)
    assert refusal(path).startswith(f"responses.csv {problem}")


def test_socket_and_device_are_refused_and_not_waited_for(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for path in (tmp_path / "socket", Path("/dev/zero")):
            assert refusal(path) == f"{path.name} is a pipe or a device, fix: name a regular file"


def test_file_that_this_user_may_not_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path, mode: str) -> None:
        assert mode == "rb"
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, HEADER, FULL)
    monkeypatch.setattr(Path, "open", refuse)  # root, whom containers run tests as, may read everything
    assert refusal(path) == (
        "responses.csv cannot be read: Permission denied, fix: let this user read it (chmod u+r responses.csv)"
    )


def test_full_disk_names_the_folder_of_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", fail)
    assert "No space left on device, fix: make room for a copy in /tmp" in refusal(write(tmp_path, HEADER, FULL))


ENCODINGS = ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_encodings_and_line_ends_are_found_out(tmp_path: Path, encoding: str, end: str) -> None:
    path = write(tmp_path, HEADER, *rows({"remarks": "Merci, très bien\nà bientôt"}, {}), encoding=encoding, end=end)
    with opened_csv(path, CLOCK) as source:
        assert [b"tr\xc3\xa8s bien" in message.value for message in source.messages()] == [True, False]
        assert any("read as Windows-1252" in note for note in source.notes()) == (encoding == "cp1252")
    bad = write(tmp_path, HEADER, *rows({"remarks": "a\nb"}, {"score": "6"}), encoding=encoding, end=end)
    if encoding != "cp1252":
        assert rows_refused(refusal(bad))[0].startswith("line 4: CSAT Score '6'")


def test_damaged_encodings_are_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "responses.csv"
    good = write(tmp_path, HEADER, row(remarks="très bien")).read_bytes()
    path.write_bytes(good + b"a\xe8b\n")
    assert refusal(path) == "responses.csv, line 3: the byte 0xE8 is not UTF-8, fix: save it as CSV in UTF-8"
    path.write_bytes(HEADER.encode() + b"\r\nab\x81\r\n")
    assert refusal(path).startswith("responses.csv, line 2: the byte 0x81 is not UTF-8, and not all of the file is Win")
    path.write_bytes(HEADER.encode() + b"\nab\x00c\n")
    assert refusal(path).startswith("responses.csv, line 2: a NUL character: the file is damaged, fix: save it as CSV")
    path.write_bytes(f"{HEADER}\n".encode("utf-16") + b"\x00\xd8a\x00")
    assert refusal(path).startswith("responses.csv, line 2: the byte 0x00 is not UTF-16, fix: save it as CSV in UTF-8")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found_out_by_the_header(tmp_path: Path, delimiter: str) -> None:
    lines = [HEADER.replace(",", delimiter), row(delimiter=delimiter, price="5671,0")]
    for number, first in enumerate(([], [f"sep={delimiter}"], ["", ""])):
        path = write(tmp_path, *first, *lines)
        with opened_csv(path, CLOCK) as source:
            assert source.facts()["delimiter"] == delimiter
            assert b'"item_price":5671.0' in next(source.messages()).value
        bad = write(tmp_path, *first, *lines, row(delimiter=delimiter, price="1,0", score="0", id="2"))
        assert rows_refused(refusal(bad))[0].startswith(f"line {(3, 4, 5)[number]}: CSAT Score '0'")


def test_header_is_read_in_any_case_order_and_spacing(tmp_path: Path) -> None:
    names = ["UNIQUE_ID", " Channel Name", *HEADER.split(",")[2:], "Notes", ""]
    with opened_csv(write(tmp_path, ",".join(names), f"{FULL},x,"), CLOCK) as source:
        assert len(list(source.messages())) == 1
        assert source.facts()["extra_columns"] == ["Notes", "column 22"]
        assert "warning: columns that are not sent: Notes, column 22" in source.notes()


def test_header_that_is_not_the_expected_one_is_refused(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, FULL, GAPS)).startswith(
        "responses.csv, line 1: the header has none of the 20 columns (Unique id, channel_name, "
    )
    assert "Nice" not in refusal(write(tmp_path, FULL, GAPS))
    lacking = HEADER.replace("Item_price", "Prise").replace(",CSAT Score", "")
    assert refusal(write(tmp_path, lacking, FULL)) == (
        "responses.csv, line 1: the header lacks Item_price, CSAT Score (it also has Prise), "
        "fix: name each as it is named here"
    )
    assert refusal(write(tmp_path, f"{HEADER},item price", f"{FULL},1")) == (
        "responses.csv, line 1: Item_price is there twice, as columns 13 and 21, "
        "fix: remove one or give it another name"
    )


OPEN_QUOTE = FULL.replace('??"', "??")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([GAPS, OPEN_QUOTE], "line 3, Customer Remarks: a quote is opened and never closed"),
        ([GAPS, OPEN_QUOTE, TRAP, FULL], "line 3, Customer Remarks: a quote does not end before the next delimiter"),
        ([GAPS, FULL.replace("??", '"hi" ??')], "line 3: a quote does not end before the next delimiter"),
        ([GAPS, FULL.replace("??", "?" * 140_000)], "line 3, Customer Remarks: a field is longer than 131,072 char"),
        ([GAPS, OPEN_QUOTE, *[TRAP] * 900], "line 3, Customer Remarks: a field is longer than 131,072 characters"),
    ],
)
def test_quote_that_is_not_closed_is_named_by_the_line_on_which_its_row_begins(
    tmp_path: Path, lines: list[str], problem: str
) -> None:
    message = refusal(write(tmp_path, HEADER, *lines))
    assert message.startswith(f"responses.csv, {problem}")
    assert message.endswith("nothing was sent, fix: close the quote, and write a quote inside a quoted text twice")


def test_rows_with_too_few_or_too_many_fields_are_refused_and_blank_ones_left_out(tmp_path: Path) -> None:
    unquoted = FULL.replace('"', "")
    path = write(tmp_path, HEADER, "", FULL, "  ", "," * 19, "only,three,fields", unquoted, "", GAPS)
    assert rows_refused(refusal(path)) == [
        "line 6: 3 fields where the header has 20, fix: complete the row",
        "line 7: 21 fields where the header has 20, fix: quote a text that holds a comma",
    ]


SCORE = "is not a whole number from 1 to 5, fix: give a score from 1 to 5"
PRICE = "fix: write it like 1299.00, or leave it blank"
TIME = "fix: write it like 2023-08-31 23:58"
DATE = "fix: write it like 2023-08-31"
BAD_CELLS = [
    ({"score": "0"}, f"CSAT Score '0' {SCORE}"),
    ({"score": "6"}, f"CSAT Score '6' {SCORE}"),
    ({"score": "4.5"}, f"CSAT Score '4.5' {SCORE}"),
    ({"score": "five"}, f"CSAT Score 'five' {SCORE}"),
    ({"score": "٥"}, f"CSAT Score '٥' {SCORE}"),
    ({"score": " "}, "CSAT Score is blank, fix: give a score from 1 to 5"),
    ({"price": "₹1,299.00"}, f"Item_price '₹1,299.00' has a currency sign, {PRICE}"),
    ({"price": "-3"}, f"Item_price '-3' is negative, {PRICE}"),
    ({"price": "inf"}, f"Item_price 'inf' is not a price, {PRICE}"),
    ({"price": "1e5"}, f"Item_price '1e5' is in scientific notation, which loses digits, {PRICE}"),
    ({"price": "1,29,900.00"}, f"Item_price '1,29,900.00' is not a price, {PRICE}"),
    ({"price": "10000000000"}, f"Item_price '10000000000' is not less than 10,000,000,000, {PRICE}"),
    (
        {"reported": "31/02/2023 11:13"},
        "Issue_reported at '31/02/2023 11:13' is no day of the calendar in the order dmy",
    ),
    ({"reported": "01/08/2023 25:13"}, f"Issue_reported at '01/08/2023 25:13' has a time that no clock shows, {TIME}"),
    ({"reported": "01/08/2023 13:13 PM"}, "Issue_reported at '01/08/2023 13:13 PM' has a time that no clock shows"),
    ({"reported": "01/08/2023"}, f"Issue_reported at '01/08/2023' has no time of day, {TIME}"),
    ({"responded": "45139.468"}, f"issue_responded '45139.468' is a spreadsheet's number of a day, {DATE}"),
    ({"responded": "yesterday"}, f"issue_responded 'yesterday' is not a date, {DATE}"),
    ({"responded": ""}, f"issue_responded is blank, {DATE}"),
    ({"survey": "01-Agosto-23"}, f"Survey_response_Date '01-Agosto-23' is not a date, {DATE}"),
    ({"survey": "31-Feb-23"}, "Survey_response_Date '31-Feb-23' is no day of the calendar in the order dmy"),
    ({"survey": "01-Aug-4023"}, "Survey_response_Date '01-Aug-4023' lies in the year 4023, outside 2000 to 2024"),
    ({"survey": "01-Aug-99"}, "Survey_response_Date '01-Aug-99' lies in the year 2099, outside 2000 to 2024"),
    ({"agent": ""}, "Agent_name is blank, fix: fill it in"),
    ({"agent": "\u00a0\u200b "}, "Agent_name is blank, fix: fill it in"),
    ({"id": " "}, "Unique id is blank, fix: give each row an id of its own"),
    ({"id": "NaN"}, "Unique id 'NaN' is no id, fix: give each row an id of its own"),
]


@pytest.mark.parametrize(("cells", "problem"), BAD_CELLS, ids=[problem[:40] for _, problem in BAD_CELLS])
def test_bad_cell_in_the_last_row_is_named_with_line_column_value_and_fix(
    tmp_path: Path, cells: dict[str, str], problem: str
) -> None:
    lines = [HEADER, GAPS, TRAP, row(remarks="two\nlines", id="1"), row(**{"id": "2"} | cells)]
    message = refusal(write(tmp_path, *lines))
    assert message.startswith("responses.csv: 1 row cannot be sent, so nothing was sent\n")
    [line] = rows_refused(message)
    assert line.startswith(f"line 6: {problem}")


def test_first_ten_problems_are_listed_in_their_order_and_all_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, *rows(*({"score": "9", "price": "x"} for _ in range(1_234))))
    message = refusal(path)
    assert message.splitlines()[0] == "responses.csv: 1,234 rows cannot be sent, so nothing was sent"
    assert [" ".join(re.findall(r"^line \d+", line)) for line in rows_refused(message)[:-1]] == [
        f"line {line}" for line in (2, 2, 3, 3, 4, 4, 5, 5, 6, 6)
    ]
    assert message.splitlines()[-1] == "  and 2,458 more problems"


def test_id_of_two_different_rows_is_refused_with_both_lines(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, row(id="17"), GAPS, row(id=" 17 ", score="1"), row(id="17"))
    assert rows_refused(refusal(path)) == [
        "line 4: Unique id '17' is on line 2 too, fix: give each row its own id",
    ]


def test_price_that_may_be_two_prices_is_refused(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, HEADER, *rows({"price": "7"}, {"price": "1.299"}))) == (
        "responses.csv, line 3: Item_price '1.299' may have a decimal point or grouped thousands, "
        "and no other price decides, fix: write prices like 1299.00"
    )
    assert refusal(write(tmp_path, HEADER, *rows({"price": "1,299.00"}, {"price": "12,50"}))) == (
        "responses.csv, line 2: Item_price '1,299.00' has a decimal point, line 3: Item_price '12,50' a decimal comma, "
        "fix: write all prices like 1299.00"
    )


def test_response_that_the_stream_would_reject_as_too_old_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, GAPS, FULL)
    with pytest.raises(CsatError) as caught, opened_csv(path, CLOCK, CsvOptions(max_days_old=31)):
        pass
    assert str(caught.value).replace(str(path), path.name) == (
        "responses.csv, line 3: the response of 2023-08-01 would be dated 2023-08-11, and the stream rejects responses "
        "of more than 31 days ago (CSAT_MAX_DAYS_OLD), fix: correct the year, or leave out the rows before 2023-08-02"
    )
    with opened_csv(path, CLOCK, CsvOptions(max_days_old=32)) as source:
        assert source.rows == 2


def test_history_of_more_than_ten_years_is_refused_although_its_span_is_allowed(tmp_path: Path) -> None:
    old = {"reported": "01/07/2013 11:13", "responded": "01/07/2013 11:47", "survey": "01-Jul-13"}
    path = write(tmp_path, HEADER, *rows({}, old))
    assert "line 3: the response of 2013-07-01" in refusal(path, allow_span=True)


def test_remarks_and_names_are_in_no_message(tmp_path: Path) -> None:
    shifted = row(score="My card was charged twice", price="Richard Buchanan wrote to me", survey="so rude")
    lines = rows_refused(refusal(write(tmp_path, HEADER, GAPS, shifted)))
    assert len(lines) == 3
    assert [line.split(" is ")[0] for line in lines] == [
        "line 3: Survey_response_Date (a text of 7 characters)",
        "line 3: Item_price (a text of 28 characters)",
        "line 3: CSAT Score (a text of 25 characters)",
    ]
