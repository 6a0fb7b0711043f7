"""Every question of the board and of `csat marts show`, as SQL on the marts with named parameters.

Dates come in as parameters, never as a subquery, so that BigQuery reads their partitions only: first ask for the
board's date, then for its rows. An empty text or list stands for "all".
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from csat.settings import Settings
from warehouse.client import Warehouse

Rows = list[dict[str, Any]]

MARTS = (
    "agent_leaderboard",
    "agg_agent_daily",
    "agg_category_daily",
    "category_ranking",
    "dim_agents",
    "fct_survey_responses",
    "pipeline_health",
    "response_series",
)
OPS_TABLES = ("alerts", "mart_builds", "pipeline_health_checks")


class NoMartsError(Exception):
    """The marts were never built; the message names the command."""


@dataclass(frozen=True)
class Query:
    """A statement in which {name} stands for a table."""

    template: str

    def sql(self, settings: Settings) -> str:
        """The statement with full table names."""
        tables = {name: f"`{settings.table('marts', name)}`" for name in MARTS}
        tables |= {name: f"`{settings.table('ops', name)}`" for name in OPS_TABLES}
        return self.template.format(**tables)

    def rows(self, warehouse: Warehouse, **parameters: Any) -> Rows:
        """The answer. Raises WarehouseError."""
        return warehouse.rows(self.sql(warehouse.settings), **parameters)


# The span that the boards stand for: null before the first build.
DATES = Query("select min(leaderboard_date) as first_date, max(leaderboard_date) as last_date from {agent_leaderboard}")

# Agents

LEADERBOARD = Query("""
    select *
    from {agent_leaderboard}
    where leaderboard_date = @board_date and window_id = @window_id
    order by leaderboard_rank is null, leaderboard_rank, answers_missing, agent_id
    limit @row_limit
""")
AGENT = Query("select * from {dim_agents} where agent_id = @agent_id")
AGENT_BOARDS = Query("""
    select
        leaderboard_date,
        window_id,
        answer_count,
        satisfied_count,
        csat_rate,
        wilson_low,
        wilson_high,
        shrunk_csat_rate,
        leaderboard_rank,
        median_response_minutes
    from {agent_leaderboard}
    where agent_id = @agent_id
        and window_id = @window_id
        and leaderboard_date between @since and @until
    order by leaderboard_date
""")
AGENT_MIX = Query("""
    select
        channel,
        category,
        sum(answer_count) as answer_count,
        sum(satisfied_count) as satisfied_count,
        sum(score_sum) as score_sum
    from {agg_agent_daily}
    where agent_id = @agent_id and answered_date between @since and @until
    group by channel, category
    order by answer_count desc, channel, category
""")

# Categories

CATEGORIES = Query("""
    select *
    from {category_ranking}
    where ranking_date = @board_date and window_id = @window_id and sub_category is null
    order by volume_rank
    limit @row_limit
""")
SUB_CATEGORIES = Query("""
    select *
    from {category_ranking}
    where ranking_date = @board_date
        and window_id = @window_id
        and sub_category is not null
        and (@category = '' or category = @category)
    order by volume_rank
    limit @row_limit
""")
CATEGORY_DAYS = Query("""
    select
        answered_date,
        sum(answer_count) as answer_count,
        sum(satisfied_count) as satisfied_count
    from {agg_category_daily}
    where answered_date between @since and @until
        and category = @category
    group by answered_date
    order by answered_date
""")

# Over time

CHOICES = Query("""
    select channel, category, sum(answer_count) as answer_count
    from {response_series}
    where answered_date between @since and @until
    group by channel, category
    order by answer_count desc, channel, category
""")


def _quantile(share: float) -> str:
    """Of `placed`: what percentile_cont gives for the rows behind it, which are counted by value, `up_to` it."""
    place = f"(total - 1) * {share}"
    low, high = (f"min(if(up_to > {end}({place}), response_minutes, null))" for end in ("floor", "ceil"))
    return f"{low} + any_value({place} - floor({place})) * ({high} - {low})"


# Of the answers themselves: the marts have quantiles by hour, and those of a day are not made of them. Sorting a
# million answers takes seconds, counting them by value does not. Buckets are hours since 1970, and a time only in the
# end: grouping and sorting by times takes the emulator twice as long. The last row, without a bucket, is the whole
# range.
SERIES = Query(f"""
    with counted as (
        select
            unix_date(if(@grain = 'week', date_trunc(answered_date, week(monday)), answered_date)) * 24
            + if(@grain = 'hour', extract(hour from survey_answered_at), 0) as first_hour,
            case @split
                when 'channel' then channel
                when 'category' then if(category in unnest(@named), category, @rest)
                else ''
            end as part,
            response_minutes,
            response_time_bucket,
            count(*) as answer_count,
            countif(is_satisfied) as satisfied_count
        from {{fct_survey_responses}}
        where answered_date between @since and @until
            and (@channel = '' or channel = @channel)
            and (@category = '' or category = @category)
        group by first_hour, part, response_minutes, response_time_bucket
    ),

    grouped as (
        select *
        from counted

        union all

        select null, null, response_minutes, response_time_bucket, sum(answer_count), sum(satisfied_count)
        from counted
        group by response_minutes, response_time_bucket
    ),

    placed as (
        select
            *,
            sum(if(response_minutes is null, 0, answer_count)) over (bucket order by response_minutes) as up_to,
            sum(if(response_minutes is null, 0, answer_count)) over bucket as total
        from grouped
        window bucket as (partition by first_hour, part)
    )

    select
        timestamp_add(timestamp '1970-01-01', interval first_hour hour) as bucket,
        part,
        sum(answer_count) as answer_count,
        sum(satisfied_count) as satisfied_count,
        sum(if(response_time_bucket = '5 minutes', answer_count, 0)) as up_to_5_minutes_count,
        sum(if(response_time_bucket = '1 hour', answer_count, 0)) as up_to_1_hour_count,
        sum(if(response_time_bucket = '24 hours', answer_count, 0)) as up_to_24_hours_count,
        sum(if(response_time_bucket = 'longer', answer_count, 0)) as over_24_hours_count,
        {_quantile(0.5)} as median_response_minutes,
        {_quantile(0.9)} as p90_response_minutes
    from placed
    group by first_hour, part
    order by first_hour is null, first_hour, part
""")
RESPONSE_TIME = Query(f"""
    with counted as (
        select response_minutes, count(*) as answer_count
        from {{fct_survey_responses}}
        where answered_date between @since and @until and response_minutes is not null
        group by response_minutes
    ),

    placed as (
        select
            response_minutes,
            sum(answer_count) over (order by response_minutes) as up_to,
            sum(answer_count) over () as total
        from counted
    )

    select
        {_quantile(0.5)} as median_response_minutes,
        {_quantile(0.9)} as p90_response_minutes
    from placed
""")

# Overview

DAYS = Query("""
    select
        answered_date,
        sum(answer_count) as answer_count,
        sum(satisfied_count) as satisfied_count
    from {response_series}
    where answered_date between @since and @until
    group by answered_date
    order by answered_date
""")
# How many answers a day had by the same time of day.
DAYS_UP_TO = Query("""
    select
        countif(answered_date = @today) as answer_count,
        countif(
            answered_date = date_sub(@today, interval 1 day)
            and survey_answered_at <= timestamp_sub(@until, interval 1 day)
        ) as answer_count_yesterday
    from {fct_survey_responses}
    where answered_date between date_sub(@today, interval 1 day) and @today
""")

# Pipeline

OUTCOMES = Query("select * from {pipeline_health} order by is_accepted desc, message_count desc, outcome")
BUILDS = Query("select * from {mart_builds} order by built_at desc limit @row_limit")
LAST_LOOK = Query("""
    select looked_at, check, grade, detail
    from {pipeline_health_checks}
    where looked_at >= @since
    qualify looked_at = max(looked_at) over ()
    order by grade in ('ok', 'skipped'), check
""")
# The check stream_life gives the age of the life that runs: looks that saw one life agree on when it began.
LIVES = Query("""
    with looks as (
        select
            looked_at,
            timestamp_trunc(
                timestamp_micros(unix_micros(looked_at) - cast(value * 1000000 as int64) + 500000), second
            ) as started_at
        from {pipeline_health_checks}
        where looked_at >= @since and check = 'stream_life' and value is not null
    )

    select started_at, max(looked_at) as last_seen_at, count(*) as look_count
    from looks
    group by started_at
    order by started_at desc
""")
ALERTS = Query("""
    select
        opened_at,
        alert_key,
        about,
        severity,
        max(if(status = 'opened', text, null)) as text,
        max(if(status = 'recovered', told_at, null)) as recovered_at
    from {alerts}
    where opened_at >= @since
    group by opened_at, alert_key, about, severity
    order by opened_at desc
    limit @row_limit
""")
LAST_BUILD = Query("""
    select * from {mart_builds} where status = 'succeeded' order by watermark_to desc, built_at desc limit 1
""")

QUERIES = {name: value for name, value in list(globals().items()) if isinstance(value, Query)}


def board_dates(warehouse: Warehouse) -> tuple[date, date]:
    """The first and the last date that has boards. Raises NoMartsError and WarehouseError."""
    if LAST_BUILD.rows(warehouse):
        [dates] = DATES.rows(warehouse)
        if dates["last_date"]:
            return dates["first_date"], dates["last_date"]
    raise NoMartsError("The marts have not been built, fix: csat marts build")
