"""The age of the newest row against the limits of the dbt source: 15 and 60 minutes."""

from datetime import UTC, datetime, timedelta

import pytest

from csat.marts.freshness import grade

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(("minutes", "status"), [(0, "pass"), (15, "pass"), (16, "warn"), (60, "warn"), (61, "error")])
def test_age_is_graded_by_the_limits_of_the_source(minutes: int, status: str) -> None:
    assert grade(NOW - timedelta(minutes=minutes), NOW).status == status


def test_fresh_rows_have_no_warning() -> None:
    assert grade(NOW, NOW).warning is None


def test_warning_states_the_age() -> None:
    assert "is 20 minutes old" in str(grade(NOW - timedelta(minutes=20), NOW).warning)


def test_no_recent_row_is_an_error() -> None:
    assert grade(None, NOW).as_dict() == {"status": "error", "newest_ingested_at": None, "age_seconds": None}
