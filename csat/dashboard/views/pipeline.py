"""Pipeline: whether the figures can be trusted: freshness, completeness, and the state of the components."""

from dataclasses import replace
from datetime import datetime, timedelta

import streamlit as st

from csat.bigquery.query import Rows
from csat.dashboard import charts
from csat.dashboard.controls import download
from csat.dashboard.frame import Page, Snapshot
from csat.dashboard.sorting import chosen_sorting
from csat.dashboard.source import bind, utc_now
from csat.dashboard.status import alert_cell, severity_badge
from csat.dashboard.tables import Card, Column, Html, Row, badge, cards, joined, lines, link, note, table
from csat.reporting import formats, queries

_CHECKS_SINCE, _STREAM_RUNS_SINCE = timedelta(hours=1), timedelta(days=7)
_BUILDS, _ALERTS = 30, 20
_CACHED_FOR = timedelta(seconds=20)
_PATH, _BUILD_ORDER = "pipeline", "builds"


def show(snapshot: Snapshot) -> None:
    """The page."""
    now = utc_now()
    # The same for a minute, so that viewers share the cached rows
    minute = now.replace(second=0, microsecond=0)
    bound_queries = (
        bind(queries.OUTCOMES),
        bind(queries.LAST_HEALTH_CHECK, since=minute - _CHECKS_SINCE),
        bind(queries.STREAM_RUNS, since=minute - _STREAM_RUNS_SINCE),
        bind(queries.ALERTS, since=minute - _STREAM_RUNS_SINCE, row_limit=_ALERTS),
        bind(queries.BUILDS, row_limit=_BUILDS),
    )
    cached = (replace(bound, cached_for=_CACHED_FOR) for bound in bound_queries)
    outcomes, checks, runs, alerts, builds = snapshot.rows(*cached)
    st.html(
        cards(
            [
                _freshness(snapshot, outcomes, now),
                _messages(outcomes),
                _stream_runs_card(runs, now),
                _build_card(builds, now),
            ]
        )
    )
    left, right = st.columns(2, gap="large")
    with left:
        _checks(checks)
    with right:
        _outcomes(outcomes)
    _stream(runs, alerts, now)
    _builds(builds)


def _freshness(snapshot: Snapshot, outcomes: Rows, now: datetime) -> Card:
    newest = max((row["newest_ingested_at"] for row in outcomes if row["newest_ingested_at"]), default=None)
    shown = snapshot.state.data_up_to
    assert shown is not None
    notes = [f"marts: {formats.moment(shown)}", f"landed: {formats.moment(newest)}"]
    if newest is not None and newest - shown >= timedelta(seconds=1):
        notes.append(f"the marts lag by {formats.duration((newest - shown).total_seconds())}")
    elif newest is not None:
        notes.append("the marts are up to date")
    return Card("Data up to", formats.age(now - shown), tuple(notes))


def _messages(outcomes: Rows) -> Card:
    total = sum(row["message_count"] for row in outcomes)
    rejected = sum(row["message_count"] for row in outcomes if not row["is_accepted"])
    duplicates = sum(row["message_count"] for row in outcomes if row["outcome"] == "duplicate")
    share = formats.percent(rejected / total, 2) if total else formats.MISSING
    return Card(
        "Messages landed",
        formats.count(total),
        (f"{formats.count(rejected)} rejected ({share})", f"{formats.count(duplicates)} duplicates, counted once"),
    )


def _stream_runs_card(runs: Rows, now: datetime) -> Card:
    if not runs:
        return Card("Stream", formats.MISSING, ("not seen in 7 days",))
    uptime = runs[0]["last_seen_at"] - runs[0]["started_at"]
    seen = formats.age(now - runs[0]["last_seen_at"])
    restarts = len(runs) - 1
    notes = (f"seen {seen}", f"{restarts} restart{'' if restarts == 1 else 's'} in 7 days")
    return Card("Stream uptime", formats.duration(uptime.total_seconds()), notes)


def _build_card(builds: Rows, now: datetime) -> Card:
    if not builds:
        return Card("Last build", formats.MISSING)
    last = builds[0]
    notes = (
        f"took {formats.duration(last['build_seconds'])}",
        f"{last['model_count']} models, {last['test_count']} tests passed",
    )
    return Card("Last build", formats.age(now - last["built_at"]), notes)


def _checks(checks: Rows) -> None:
    st.header("Health checks", anchor=False)
    if not checks:
        st.html(note("No health check in the last hour: the Airflow DAG check_stream_health runs every five minutes."))
        return
    columns = [
        Column("Check", lambda row: row["check"].replace("_", " "), is_figure=False),
        Column("Grade", lambda row: badge(row["grade"].capitalize(), row["grade"]), is_figure=False),
        Column("Details", lambda row: row["detail"], is_figure=False),
    ]
    st.html(table("Last health check", columns, checks))
    checked_at = f"Checked at {formats.moment(checks[0]['checked_at'])}. "
    st.html(joined(Html('<p class="status">'), checked_at, link("Runbook", "runbook"), Html("</p>")))


def _outcomes(outcomes: Rows) -> None:
    columns = _outcome_columns()
    sorting = chosen_sorting(_PATH, columns, parameter="messages")
    ordered = sorting.order.sort(outcomes)
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.header("Messages", anchor=False)
        download("csat-messages", ordered)
    sorting.show()
    st.html(table("Messages by outcome", columns, ordered, sorting.header))
    st.caption(
        "Every Kafka message has one outcome: `csat check completeness` verifies it, `csat rejected` shows rejected "
        "messages."
    )


def _outcome_columns() -> list[Column]:
    def outcome(row: Row) -> Html:
        return lines(row["outcome"], "" if row["is_accepted"] else "rejected")

    return [
        Column("Outcome", outcome, is_figure=False, sort="outcome"),
        Column("Messages", lambda row: formats.count(row["message_count"]), sort="-message_count"),
        Column("Share", lambda row: formats.percent(row["message_share"], 2), sort="-message_share"),
        Column(
            "Newest", lambda row: formats.moment(row["newest_ingested_at"]), importance=2, sort="-newest_ingested_at"
        ),
    ]


def _stream(runs: Rows, alerts: Rows, now: datetime) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        st.header("Stream runs", anchor=False)
        columns = [
            Column("Started", lambda row: formats.moment(row["started_at"]), is_figure=False),
            Column("Last seen", lambda row: formats.age(now - row["last_seen_at"])),
            Column("Ran for", lambda row: formats.duration((row["last_seen_at"] - row["started_at"]).total_seconds())),
        ]
        empty = "No health check saw the stream in the last 7 days."
        st.html(table("Stream runs of the last 7 days", columns, runs) if runs else note(empty))
    with right:
        st.header("Alerts", anchor=False)
        columns = [
            Column("Alert", alert_cell, is_figure=False),
            Column("Severity", lambda row: severity_badge(row["severity"]), is_figure=False),
            Column("Opened", lambda row: formats.age(now - row["opened_at"])),
            Column("Duration", _alert_duration),
        ]
        st.html(table("Alerts of the last 7 days", columns, alerts) if alerts else note("None in the last 7 days."))


def _alert_duration(row: Row) -> str | Html:
    if row["recovered_at"] is None:
        return badge("Open", row["severity"])
    return formats.duration((row["recovered_at"] - row["opened_at"]).total_seconds())


def _builds(builds: Rows) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.header("Mart builds", anchor=False)
        download("csat-builds", builds)
    drawn = [
        {"at": row["built_at"].isoformat(), "label": formats.moment(row["built_at"]), "seconds": row["build_seconds"]}
        for row in builds
    ]
    charts.draw(charts.build_times(drawn), f"Duration of each of the last {len(builds)} builds.")
    columns = _build_columns()
    sorting = chosen_sorting(_PATH, columns, "-built_at", _BUILD_ORDER)
    sorting.show()
    with st.expander("Show as a table", expanded=_BUILD_ORDER in st.query_params):
        st.html(table("Mart builds", columns, sorting.order.sort(builds), sorting.header))


def _build_columns() -> list[Column]:
    def dates(row: Row) -> str:
        return "all" if row["is_full_refresh"] else formats.count(len(row["touched_dates"]))

    return [
        Column("Built", lambda row: formats.moment(row["built_at"]), is_figure=False, sort="-built_at"),
        Column("Duration", lambda row: formats.duration(row["build_seconds"]), sort="-build_seconds"),
        Column("Dates", dates),
        Column("Responses", lambda row: formats.count(row["response_count"]), sort="-response_count"),
        Column("Data up to", lambda row: formats.moment(row["watermark_to"]), importance=2, sort="-watermark_to"),
        Column("Tests", lambda row: formats.count(row["test_count"]), importance=2, sort="-test_count"),
        Column("Status", lambda row: row["status"], is_figure=False, importance=2, sort="status"),
    ]


PAGE = Page(
    "Pipeline",
    _PATH,
    show,
    ("Outcome", "Messages", "Newest", "Freshness"),
    refresh=timedelta(seconds=30),
)
