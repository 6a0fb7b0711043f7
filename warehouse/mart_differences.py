"""Where the marts differ from the landing table, date by date, counted without dbt's models in between."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from warehouse.client import Warehouse
from warehouse.mart_variables import window_days

_UNSETTLED = timedelta(days=1)
# Sums that hardly any other answers have: the times of the messages tell two apart that change places. Copies of the
# newest answers may land at any moment, so theirs do not count.
_FIGURES = """
    count(*) as answer_count,
    sum(csat_score) as score_sum,
    sum(if(answered_date < @settled, message_count, 0)) as message_count,
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
_COUNTS = "sum(answer_count) as answer_count, sum(satisfied_count) as satisfied_count, sum(score_sum) as score_sum"
_RESPONSE_COUNTS = "count(*) as answer_count, countif(is_satisfied) as satisfied_count, sum(csat_score) as score_sum"
_COMPARE_SQL = """
with expected as ({expected}),
found as ({found})
select
    answered_date,
    expected.answer_count as expected_count,
    found.answer_count as found_count
from expected
full outer join found using (answered_date)
where to_json_string(expected) is distinct from to_json_string(found)
order by answered_date
"""
_BY_DATE = "select answered_date, {figures} from {rows} group by answered_date"
# Of each board the answers of all its rows: those of its window's days.
_BOARD_SQL = """
with days as (select answered_date, count(*) as answer_count from `{responses}` group by answered_date),
span as (select min(answered_date) as first_date, max(answered_date) as last_date from days),
calendar as (
    select board_date from span
    cross join unnest(generate_date_array(span.first_date, span.last_date)) as board_date
),
expected as (
    select
        calendar.board_date as answered_date,
        sum(days.answer_count) as answer_count
    from calendar
    inner join days
        on days.answered_date between date_sub(calendar.board_date, interval @days - 1 day) and calendar.board_date
    group by calendar.board_date
),
found as (
    select {date_column} as answered_date, sum(answer_count) as answer_count
    from `{table}`
    where window_id = @window_id and {condition}
    group by {date_column}
)
select
    answered_date,
    expected.answer_count as expected_count,
    found.answer_count as found_count
from expected
full outer join found using (answered_date)
where expected.answer_count is distinct from found.answer_count
order by answered_date
"""
_MARTS_BY_DATE = (
    *((f"agg_{name}", _COUNTS, _RESPONSE_COUNTS) for name in ("agent_daily", "category_daily", "response_hourly")),
    *(
        (name, "sum(answer_count) as answer_count", "count(*) as answer_count")
        for name in ("int_agents_dated", "response_series")
    ),
)
_BOARDS = {
    "agent_leaderboard": ("leaderboard_date", "true"),
    "category_ranking": ("ranking_date", "sub_category is null"),
}


@dataclass(frozen=True)
class Difference:
    """One date of one mart that is not as it should be. The counts are of answers; equal ones differ otherwise."""

    mart: str
    answered_date: date
    expected_count: int | None
    found_count: int | None

    def as_dict(self) -> dict[str, Any]:
        """The difference in JSON's types."""
        return {
            "mart": self.mart,
            "answered_date": self.answered_date.isoformat(),
            "expected_count": self.expected_count,
            "found_count": self.found_count,
        }


def find_differences(warehouse: Warehouse, until: datetime, latest: date) -> list[Difference]:
    """All differences: of the responses with what the stream had read by `until`, of other marts with the responses.

    `latest` is the latest answer date.
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
    for mart in _BOARDS:
        for window, days in window_days().items():
            found += _compare_boards(warehouse, mart, window, days)
    return found


def _compare(warehouse: Warehouse, mart: str, expected: str, found: str, **parameters: Any) -> list[Difference]:
    rows = warehouse.rows(_COMPARE_SQL.format(expected=expected, found=found), **parameters)
    return [Difference(mart, **row) for row in rows]


def _compare_boards(warehouse: Warehouse, mart: str, window: str, days: int) -> list[Difference]:
    date_column, condition = _BOARDS[mart]
    sql = _BOARD_SQL.format(
        responses=warehouse.settings.table("marts", "fct_survey_responses"),
        table=warehouse.settings.table("marts", mart),
        date_column=date_column,
        condition=condition,
    )
    return [Difference(mart, **row) for row in warehouse.rows(sql, days=days, window_id=window)]
