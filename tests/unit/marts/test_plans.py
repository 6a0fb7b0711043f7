"""The plan of a build, from the landing table and the record of the last build."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from google.cloud import bigquery

from csat.bigquery.erasures import EVER
from csat.contract.settings import Settings
from csat.marts import plans
from csat.marts.plans import MAX_DATES, plan_build, plan_rebuild

SETTINGS = Settings(marts_look_back_days=10, _env_file=None)
LAST: dict[str, Any] = {
    "build_id": "b1",
    "status": "succeeded",
    "is_full_refresh": True,
    "started_at": datetime(2026, 11, 10, 12, 1, tzinfo=UTC),
    "built_at": datetime(2026, 11, 10, 12, 2, tzinfo=UTC),
    "build_seconds": 60.0,
    "watermark_from": None,
    "watermark_to": datetime(2026, 11, 10, 12, 0, tzinfo=UTC),
    "touched_dates": [],
    "latest_response_date": date(2026, 11, 10),
    "accepted_count": 100,
    "response_count": 100,
    "model_count": 11,
    "test_count": 40,
}


class FakeWarehouse:
    """Answers each query by its text, and records the parameters."""

    def __init__(
        self,
        *,
        accepted: int,
        last: dict[str, Any] | None = LAST,
        touched: list[date] | None = None,
        latest: date | None = date(2026, 11, 12),
        watermark: datetime | None = datetime(2026, 11, 12, 8, 0, tzinfo=UTC),
        read_until: datetime | None = None,
        first_other: date | None = date(2026, 8, 1),
        erased: list[str] | None = None,
    ) -> None:
        self.settings = SETTINGS
        self.accepted, self.last, self.touched = accepted, last, touched or []
        self.first_other = first_other
        self.latest, self.watermark, self.read_until = latest, watermark, read_until or watermark
        self.erased = erased or []
        self.parameters: dict[str, Any] = {}
        self.queries: list[str] = []

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        self.parameters |= parameters
        self.queries.append(sql)
        if "mart_builds" in sql:
            return [self.last] if self.last else []
        if "erasures" in sql:
            return [{"id_hash": name} for name in self.erased]
        if "countif" in sql:
            return [{"accepted_count": self.accepted}]
        if "watermark_to" in sql:
            found = {
                "watermark_to": self.watermark,
                "read_until": self.read_until,
                "latest_response_date": self.latest,
            }
            return [found if self.accepted else dict.fromkeys(found)]
        if "@dates" in sql:
            return [{"response_date": self.first_other}]
        return [{"response_date": day} for day in self.touched]


NOW = datetime(2026, 11, 12, 9, 0, tzinfo=UTC)
KEYED = bigquery.Table("p.d.fct_survey_responses", schema=[bigquery.SchemaField("response_key", "INTEGER")])


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The table of the responses that dbt built."""
    found: dict[str, Any] = {"table": KEYED}
    monkeypatch.setattr(plans, "find_table", lambda *_: found["table"])
    return found


def plan(fake: Any, now: datetime = NOW, **options: bool) -> Any:
    return plan_build(fake, now=now, **options)  # it only calls rows


def test_first_plan_is_a_full_refresh() -> None:
    planned = plan(FakeWarehouse(accepted=3, last=None))
    assert planned.is_full_refresh
    assert (planned.watermark_from, planned.earliest_date) == (None, None)


def test_plan_is_empty_for_an_empty_landing_table() -> None:
    assert plan(FakeWarehouse(accepted=0, last=None)).is_empty


def test_plan_is_empty_without_a_new_accepted_row() -> None:
    fake = FakeWarehouse(accepted=100, touched=[date(2026, 11, 10)], watermark=LAST["watermark_to"])
    assert plan(fake).is_empty


AHEAD = datetime(2026, 11, 17, 8, 0, tzinfo=UTC)


def test_plan_reads_rows_of_the_future_and_leaves_the_watermark_behind_them() -> None:
    fake = FakeWarehouse(accepted=102, touched=[date(2026, 11, 12)], read_until=AHEAD)
    planned = plan(fake)
    assert (planned.watermark_to, planned.read_until) == (datetime(2026, 11, 12, 8, 0, tzinfo=UTC), AHEAD)
    assert fake.parameters["until"] == AHEAD


def test_plan_builds_again_when_the_time_of_a_row_has_come() -> None:
    """Without it, the row would wait for the marts for ever, as the health check counts."""
    fake = FakeWarehouse(accepted=100, touched=[date(2026, 11, 10)], watermark=AHEAD)
    assert (plan(fake).dates, plan(fake).watermark_to) == ((date(2026, 11, 10),), AHEAD)


def test_plan_keeps_the_watermark_where_only_rows_of_the_future_are_read() -> None:
    fake = FakeWarehouse(accepted=102, touched=[date(2026, 11, 12)], watermark=None, read_until=AHEAD)
    assert (plan(fake).watermark_to, plan(fake).read_until) == (LAST["watermark_to"], AHEAD)


def test_plan_is_empty_where_every_row_landed_in_the_future() -> None:
    assert plan(FakeWarehouse(accepted=3, last=None, watermark=None, read_until=AHEAD)).is_empty


def test_plan_has_the_touched_dates_and_the_previous_latest_one() -> None:
    planned = plan(FakeWarehouse(accepted=102, touched=[date(2026, 11, 12), date(2026, 11, 1)]))
    assert planned.dates == (date(2026, 11, 1), date(2026, 11, 10), date(2026, 11, 12))
    assert not planned.is_full_refresh


@pytest.mark.parametrize(
    ("first_other", "added"),
    [(date(2026, 10, 31), []), (date(2026, 11, 2), [date(2026, 11, 2)]), (None, [])],
)
def test_plan_has_the_first_other_date_where_the_first_one_may_change(
    first_other: date | None, added: list[date]
) -> None:
    """The windows after it have a complete previous window or none, by the first date."""
    touched = [date(2026, 11, 12), date(2026, 11, 1)]
    fake: Any = FakeWarehouse(accepted=102, touched=touched, first_other=first_other)
    assert plan(fake).dates == tuple(sorted([*touched, date(2026, 11, 10), *added]))
    assert fake.parameters["dates"] == [date(2026, 11, 1), date(2026, 11, 10), date(2026, 11, 12)]
    assert plan_rebuild(fake, tuple(touched)).dates == tuple(sorted([*touched, *added]))


def test_rebuild_before_the_first_build_has_its_dates(built: dict[str, Any]) -> None:
    built["table"] = None
    fake: Any = FakeWarehouse(accepted=100, first_other=date(2026, 11, 2))
    assert plan_rebuild(fake, (date(2026, 11, 1),)).dates == (date(2026, 11, 1),)


def test_plan_looks_back_five_minutes_and_no_further_than_the_new_watermark() -> None:
    fake = FakeWarehouse(accepted=102, touched=[date(2026, 11, 12)])
    plan(fake)
    assert fake.parameters["since"] == datetime(2026, 11, 10, 11, 55, tzinfo=UTC)
    assert fake.parameters["until"] == datetime(2026, 11, 12, 8, 0, tzinfo=UTC)


def test_plan_reads_the_new_rows_and_the_dates_of_the_look_back() -> None:
    fake = FakeWarehouse(accepted=102, touched=[date(2026, 11, 12)])
    planned = plan(fake)
    assert (planned.earliest_date, planned.new_since) == (date(2026, 10, 31), fake.parameters["since"])
    assert (fake.parameters["earliest"], fake.parameters["latest"]) == (date(2026, 10, 31), date(2026, 11, 12))
    assert fake.parameters["read_since"] == fake.parameters["since"]


@pytest.mark.parametrize("new", [date(2026, 11, 1), None])
def test_latest_date_is_that_of_the_last_build_where_new_responses_are_older(new: date | None) -> None:
    planned = plan(FakeWarehouse(accepted=102, touched=[date(2026, 11, 1)], latest=new))
    assert planned.latest_response_date == date(2026, 11, 10)


@pytest.mark.parametrize("table", [None, bigquery.Table("p.d.fct_survey_responses", schema=[])])
def test_plan_is_a_full_refresh_where_no_responses_have_keys(built: dict[str, Any], table: Any) -> None:
    built["table"] = table
    planned = plan(FakeWarehouse(accepted=102, touched=[date(2026, 11, 12)]))
    assert (planned.is_full_refresh, planned.new_since) == (True, None)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (datetime(2026, 11, 12, 23, 44, 59, tzinfo=UTC), datetime(2026, 11, 13, tzinfo=UTC)),
        (datetime(2026, 11, 12, 23, 45, tzinfo=UTC), datetime(2026, 11, 14, tzinfo=UTC)),
        (datetime(2026, 11, 13, 4, 0, tzinfo=timezone(timedelta(hours=5))), datetime(2026, 11, 13, tzinfo=UTC)),
    ],
)
def test_plan_reads_no_response_later_than_todays_utc_date_and_the_allowance(now: datetime, end: datetime) -> None:
    for last in (LAST, None):
        fake = FakeWarehouse(accepted=102, touched=[date(2026, 11, 12)], last=last)
        plan(fake, now)
        assert fake.parameters["end"] == end
        assert all("survey_answered_at < @end" in sql for sql in fake.queries if "@read_since" in sql)
        assert last is None or fake.parameters["latest"] == (end - timedelta(days=1)).date()


@pytest.mark.parametrize(
    ("latest", "is_full_refresh"),
    [(date(2026, 11, 12), False), (date(2026, 11, 13), True), (date(2027, 11, 12), True)],
)
def test_plan_after_a_record_of_a_wrong_clock_is_a_full_refresh(latest: date, is_full_refresh: bool) -> None:
    """Its look-back would begin in the future and leave out every new response."""
    fake = FakeWarehouse(accepted=102, touched=[date(2026, 11, 12)], last=LAST | {"latest_response_date": latest})
    planned = plan(fake)
    assert planned.is_full_refresh is is_full_refresh
    assert planned.latest_response_date == date(2026, 11, 12)


def erasing(fake: FakeWarehouse) -> list[str]:
    return [sql for sql in fake.queries if sql.startswith("insert into `csat-local.csat_ops.erasures`")]


def test_new_messages_that_name_an_erased_id_are_erased_before_their_dates_are_planned() -> None:
    fake = FakeWarehouse(accepted=102, touched=[date(2026, 11, 12)], erased=["a", "b"])
    planned = plan(fake)
    assert len(erasing(fake)) == 1
    assert (fake.parameters["id_hashes"], fake.parameters["since"]) == (["a", "b"], planned.new_since)
    assert fake.queries.index(erasing(fake)[0]) < len(fake.queries) - 1


def test_full_refresh_erases_every_message_that_names_an_erased_id() -> None:
    fake = FakeWarehouse(accepted=102, erased=["a"])
    plan(fake, full_refresh=True)
    assert (len(erasing(fake)), fake.parameters["since"]) == (1, EVER)


def test_plan_without_erasures_writes_nothing() -> None:
    fake = FakeWarehouse(accepted=102, touched=[date(2026, 11, 12)])
    plan(fake)
    assert [sql for sql in fake.queries if not sql.lstrip().startswith(("select", "with", "--"))] == []


def test_plan_is_empty_where_every_response_is_of_the_future() -> None:
    assert plan(FakeWarehouse(accepted=3, last=None, latest=None)).is_empty


def test_plan_leaves_older_responses_to_the_reconciliation() -> None:
    assert plan(FakeWarehouse(accepted=102, touched=[])).is_empty


def test_plan_is_a_full_refresh_on_request() -> None:
    planned = plan(FakeWarehouse(accepted=100), full_refresh=True)
    assert planned.is_full_refresh
    assert planned.watermark_from == datetime(2026, 11, 10, 12, 0, tzinfo=UTC)


def test_plan_is_a_full_refresh_of_everything_for_too_many_touched_dates() -> None:
    touched = [date.fromordinal(700_000 + day) for day in range(MAX_DATES + 1)]
    planned = plan(FakeWarehouse(accepted=102, touched=touched))
    assert planned.is_full_refresh
    assert (planned.dates, planned.earliest_date) == ((), None)


def test_rebuild_takes_its_dates_and_reads_all_responses() -> None:
    fake: Any = FakeWarehouse(accepted=100)
    planned = plan_rebuild(fake, (date(2026, 11, 2), date(2026, 11, 1)))
    assert planned.dates == (date(2026, 11, 1), date(2026, 11, 2))
    assert (planned.is_full_refresh, planned.new_since) == (False, None)


@pytest.mark.parametrize(("count", "is_full_refresh"), [(MAX_DATES, False), (MAX_DATES + 1, True)])
def test_rebuild_of_too_many_dates_is_a_full_refresh(count: int, is_full_refresh: bool) -> None:
    fake: Any = FakeWarehouse(accepted=100)
    planned = plan_rebuild(fake, tuple(date.fromordinal(700_000 + day) for day in range(count)))
    assert planned.is_full_refresh is is_full_refresh
