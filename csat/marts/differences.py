"""The dates where the marts differ from the landing table, counted independently of dbt's models."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from csat.bigquery.client import Warehouse
from csat.reporting.variables import window_days

_UNSETTLED = timedelta(days=1)
# A fingerprint of a date's responses: the sum of the message times shows even when two of them are swapped. Duplicates
# of the newest responses may land at any moment, so message_count leaves these out.
_FIGURES = """
    count(*) as response_count,
    sum(csat_score) as score_sum,
    sum(if(response_date < @settled, message_count, 0)) as message_count,
    sum(mod(unix_micros(kafka_timestamp), 1000000007)) as message_times
"""
_SEEN = "(select * from `{responses}` where ingested_at <= @until)"
_LANDED = """(
    select *, count(*) over (partition by response_id) as message_count
    from `{messages}`
    where ingested_at <= @until
    qualify row_number() over (
        partition by response_id
        order by kafka_timestamp, kafka_partition, kafka_offset, ingested_at, batch_id
    ) = 1
)"""
_COUNTS = "sum(response_count) as response_count, sum(satisfied_count) as satisfied_count, sum(score_sum) as score_sum"
_RESPONSE_COUNTS = "count(*) as response_count, countif(is_satisfied) as satisfied_count, sum(csat_score) as score_sum"
_COMPARE_SQL = """
with expected as ({expected}),
found as ({found})
select
    response_date,
    expected.response_count as expected_count,
    found.response_count as found_count
from expected
full outer join found using (response_date)
where to_json_string(expected) is distinct from to_json_string(found)
order by response_date
"""
_BY_DATE = "select response_date, {figures} from {rows} group by response_date"
# The responses of each ranking: all responses of the days in its window.
_RANKING_SQL = """
with days as (select response_date, count(*) as response_count from `{responses}` group by response_date),
span as (select min(response_date) as first_date, max(response_date) as last_date from days),
calendar as (
    select as_of_date from span
    cross join unnest(generate_date_array(span.first_date, span.last_date)) as as_of_date
),
expected as (
    select
        calendar.as_of_date as response_date,
        sum(days.response_count) as response_count
    from calendar
    inner join days
        on days.response_date between date_sub(calendar.as_of_date, interval @days - 1 day) and calendar.as_of_date
    group by calendar.as_of_date
),
found as (
    select {date_column} as response_date, sum(response_count) as response_count
    from `{table}`
    where window_id = @window_id and {condition}
    group by {date_column}
)
select
    response_date,
    expected.response_count as expected_count,
    found.response_count as found_count
from expected
full outer join found using (response_date)
where expected.response_count is distinct from found.response_count
order by response_date
"""
_MARTS_BY_DATE = (
    *((f"agg_{name}", _COUNTS, _RESPONSE_COUNTS) for name in ("agent_daily", "category_daily", "response_hourly")),
    *(
        (name, "sum(response_count) as response_count", "count(*) as response_count")
        for name in ("int_agents_dated", "response_series")
    ),
)
_RANKINGS = {
    "agent_leaderboard": ("leaderboard_date", "true"),
    "category_ranking": ("ranking_date", "sub_category is null"),
}


@dataclass(frozen=True)
class Difference:
    """A date on which a mart differs. The counts are of responses; where they are equal, the responses differ."""

    mart: str
    response_date: date
    expected_count: int | None
    found_count: int | None

    def as_dict(self) -> dict[str, Any]:
        """The difference in JSON's types."""
        return {
            "mart": self.mart,
            "response_date": self.response_date.isoformat(),
            "expected_count": self.expected_count,
            "found_count": self.found_count,
        }


def find_differences(warehouse: Warehouse, until: datetime, latest: date) -> list[Difference]:
    """The differences of the responses from the messages read by `until`, and of other marts from the responses.

    `latest` is the latest response date.
    """
    responses = f"`{warehouse.settings.table('marts', 'fct_survey_responses')}`"
    messages = warehouse.settings.table("marts", "stg_survey_response_messages")
    found = _compare(
        warehouse,
        "fct_survey_responses",
        _BY_DATE.format(figures=_FIGURES, rows=_LANDED.format(messages=messages)),
        _BY_DATE.format(figures=_FIGURES, rows=_SEEN.format(responses=responses.strip("`"))),
        until=until,
        settled=latest - _UNSETTLED,
    )
    for mart, figures, response_figures in _MARTS_BY_DATE:
        rows = f"`{warehouse.settings.table('marts', mart)}`"
        expected = _BY_DATE.format(figures=response_figures, rows=responses)
        found += _compare(warehouse, mart, expected, _BY_DATE.format(figures=figures, rows=rows))
    for mart in _RANKINGS:
        for window, days in window_days().items():
            found += _compare_rankings(warehouse, mart, window, days)
    return found


def _compare(warehouse: Warehouse, mart: str, expected: str, found: str, **parameters: Any) -> list[Difference]:
    rows = warehouse.rows(_COMPARE_SQL.format(expected=expected, found=found), **parameters)
    return [Difference(mart, **row) for row in rows]


def _compare_rankings(warehouse: Warehouse, mart: str, window: str, days: int) -> list[Difference]:
    date_column, condition = _RANKINGS[mart]
    sql = _RANKING_SQL.format(
        responses=warehouse.settings.table("marts", "fct_survey_responses"),
        table=warehouse.settings.table("marts", mart),
        date_column=date_column,
        condition=condition,
    )
    return [Difference(mart, **row) for row in warehouse.rows(sql, days=days, window_id=window)]
