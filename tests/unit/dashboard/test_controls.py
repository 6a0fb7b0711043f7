from datetime import UTC, date, datetime

from csat.dashboard.controls import csv_file


def text(rows: list[dict[str, object]]) -> str:
    return csv_file(rows).decode("utf-8-sig")


def test_csv_has_a_header_and_plain_values() -> None:
    rows: list[dict[str, object]] = [
        {"day": date(2026, 11, 3), "at": datetime(2026, 11, 3, 14, 5, tzinfo=UTC), "rate": 0.5, "rank": None}
    ]
    assert text(rows) == "day,at,rate,rank\r\n2026-11-03,2026-11-03T14:05:00+00:00,0.5,\r\n"


def test_csv_has_no_literals_of_python() -> None:
    days = [date(2026, 11, 3), date(2026, 11, 4)]
    rows: list[dict[str, object]] = [{"is_ranked": True, "is_full": False, "dates": days, "none": []}]
    assert text(rows).splitlines()[1] == "true,false,2026-11-03; 2026-11-04,"


def test_spreadsheets_recognise_the_encoding() -> None:
    assert csv_file([{"agent_name": "Zoë"}]) == b"\xef\xbb\xbfagent_name\r\nZo\xc3\xab\r\n"


def test_csv_contains_no_formula() -> None:
    rows: list[dict[str, object]] = [
        {"agent_name": '=HYPERLINK("http://x")'},
        {"agent_name": "@x"},
        {"agent_name": "-1+1"},
    ]
    assert text(rows).splitlines()[1:] == ['"\'=HYPERLINK(""http://x"")"', "'@x", "'-1+1"]
    assert text([{"names": ["=1", "a"]}]).splitlines()[1] == "'=1; a"


def test_csv_without_rows_is_empty() -> None:
    assert text([]) == ""
