from datetime import UTC, date, datetime

from csat.dashboard.controls import csv_text


def test_csv_has_a_header_and_plain_values() -> None:
    rows = [{"day": date(2026, 11, 3), "at": datetime(2026, 11, 3, 14, 5, tzinfo=UTC), "rate": 0.5, "rank": None}]
    assert csv_text(rows) == "day,at,rate,rank\r\n2026-11-03,2026-11-03T14:05:00+00:00,0.5,\r\n"


def test_csv_contains_no_formula() -> None:
    rows = [{"agent_name": '=HYPERLINK("http://x")'}, {"agent_name": "@x"}, {"agent_name": "-1+1"}]
    assert csv_text(rows).splitlines()[1:] == ['"\'=HYPERLINK(""http://x"")"', "'@x", "'-1+1"]


def test_csv_without_rows_is_empty() -> None:
    assert csv_text([]) == ""
