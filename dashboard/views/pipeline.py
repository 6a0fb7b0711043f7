"""Pipeline: whether the figures can be trusted: how fresh and how complete they are, and what the parts do."""

from dataclasses import replace
from datetime import datetime, timedelta

import streamlit as st

from csat.alerts import ALERTS, AlertKey
from dashboard import charts, formats, queries
from dashboard.controls import download
from dashboard.frame import Board, Page
from dashboard.queries import Rows
from dashboard.source import question, utc_now
from dashboard.tables import Card, Column, Html, Row, badge, cards, lines, note, table

_LOOKS_SINCE, _LIVES_SINCE = timedelta(hours=1), timedelta(days=7)
_BUILDS, _ALERTS = 30, 20
_KEPT_FOR = timedelta(seconds=20)
_BADGES = {"ok": "fresh", "warning": "stale", "critical": "stale", "skipped": "empty"}


def show(board: Board) -> None:
    """The page."""
    now = utc_now()
    # The same for a minute, so that viewers share the answers
    minute = now.replace(second=0, microsecond=0)
    questions = (
        question(queries.OUTCOMES),
        question(queries.LAST_LOOK, since=minute - _LOOKS_SINCE),
        question(queries.LIVES, since=minute - _LIVES_SINCE),
        question(queries.ALERTS, since=minute - _LIVES_SINCE, row_limit=_ALERTS),
        question(queries.BUILDS, row_limit=_BUILDS),
    )
    kept = (replace(one, kept_for=_KEPT_FOR) for one in questions)
    outcomes, looks, lives, alerts, builds = board.rows(*kept)
    st.html(
        cards(
            [_freshness(board, outcomes, now), _messages(outcomes), _lives_card(lives, now), _build_card(builds, now)]
        )
    )
    left, right = st.columns(2, gap="large")
    with left:
        _checks(looks)
    with right:
        _outcomes(outcomes)
    _stream(lives, alerts, now)
    _builds(builds)


def _freshness(board: Board, outcomes: Rows, now: datetime) -> Card:
    newest = max((row["newest_ingested_at"] for row in outcomes if row["newest_ingested_at"]), default=None)
    shown = board.state.data_up_to
    assert shown is not None
    notes = [f"marts: {formats.moment(shown)}", f"landed: {formats.moment(newest)}"]
    if newest is not None and newest - shown >= timedelta(seconds=1):
        notes.append(f"the marts are {formats.duration((newest - shown).total_seconds())} behind")
    elif newest is not None:
        notes.append("all that landed is in the marts")
    return Card("Data up to", formats.age(now - shown), tuple(notes))


def _messages(outcomes: Rows) -> Card:
    total = sum(row["message_count"] for row in outcomes)
    rejected = sum(row["message_count"] for row in outcomes if not row["is_accepted"])
    copies = sum(row["message_count"] for row in outcomes if row["outcome"] == "duplicate")
    share = formats.percent(rejected / total, 2) if total else formats.MISSING
    return Card(
        "Messages landed",
        formats.count(total),
        (f"{formats.count(rejected)} rejected ({share})", f"{formats.count(copies)} copies, counted once"),
    )


def _lives_card(lives: Rows, now: datetime) -> Card:
    if not lives:
        return Card("Stream", formats.MISSING, ("not seen in 7 days",))
    runs_for = lives[0]["last_seen_at"] - lives[0]["started_at"]
    seen = formats.age(now - lives[0]["last_seen_at"])
    restarts = len(lives) - 1
    notes = (f"seen {seen}", f"{restarts} restart{'' if restarts == 1 else 's'} in 7 days")
    return Card("Stream runs for", formats.duration(runs_for.total_seconds()), notes)


def _build_card(builds: Rows, now: datetime) -> Card:
    if not builds:
        return Card("Last build", formats.MISSING)
    last = builds[0]
    notes = (
        f"took {formats.duration(last['build_seconds'])}",
        f"{last['model_count']} models, {last['test_count']} tests passed",
    )
    return Card("Last build", formats.age(now - last["built_at"]), notes)


def _checks(looks: Rows) -> None:
    st.header("Checks", anchor=False)
    if not looks:
        st.html(note("No look in the last hour: Airflow's DAG check_stream_health makes one every five minutes."))
        return
    columns = [
        Column("Check", lambda row: row["check"].replace("_", " "), is_figure=False),
        Column("", lambda row: badge(row["grade"], _BADGES[row["grade"]]), is_figure=False),
        Column("Found", lambda row: row["detail"], is_figure=False),
    ]
    st.html(table("Checks of the last look", columns, looks))
    st.caption(f"Looked at {formats.moment(looks[0]['looked_at'])}. docs/runbook.md says what to do.")


def _outcomes(outcomes: Rows) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.header("Messages", anchor=False)
        download("csat-messages", outcomes)
    columns = [
        Column("Outcome", lambda row: lines(row["outcome"], "" if row["is_accepted"] else "rejected"), is_figure=False),
        Column("Messages", lambda row: formats.count(row["message_count"])),
        Column("Share", lambda row: formats.percent(row["message_share"], 2)),
        Column("Newest", lambda row: formats.moment(row["newest_ingested_at"]), importance=2),
    ]
    st.html(table("Messages by outcome", columns, outcomes))
    st.caption(
        "Every message of Kafka is one of these: `csat check completeness` proves it, `csat rejected` shows them."
    )


def _stream(lives: Rows, alerts: Rows, now: datetime) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        st.header("Lives of the stream", anchor=False)
        columns = [
            Column("Began", lambda row: formats.moment(row["started_at"]), is_figure=False),
            Column("Last seen", lambda row: formats.age(now - row["last_seen_at"])),
            Column("Ran for", lambda row: formats.duration((row["last_seen_at"] - row["started_at"]).total_seconds())),
        ]
        empty = "No look saw the stream in the last 7 days."
        st.html(table("Lives of the stream in 7 days", columns, lives) if lives else note(empty))
    with right:
        st.header("Alerts", anchor=False)
        columns = [
            Column("Alert", _alert, is_figure=False),
            Column("Raised", lambda row: formats.age(now - row["opened_at"])),
            Column("Lasted", _lasted),
        ]
        st.html(table("Alerts of 7 days", columns, alerts) if alerts else note("None in the last 7 days."))


def _alert(row: Row) -> Html:
    known = row["alert_key"] in set(AlertKey)
    meaning = ALERTS[AlertKey(row["alert_key"])].meaning if known else row["alert_key"]
    about = f" ({row['about']})" if row["about"] else ""
    return lines(f"{meaning}{about}", row["text"] or "")


def _lasted(row: Row) -> str | Html:
    if row["recovered_at"] is None:
        return badge("stands", "stale")
    return formats.duration((row["recovered_at"] - row["opened_at"]).total_seconds())


def _builds(builds: Rows) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.header("Builds of the marts", anchor=False)
        download("csat-builds", builds)
    drawn = [
        {"at": row["built_at"].isoformat(), "label": formats.moment(row["built_at"]), "seconds": row["build_seconds"]}
        for row in builds
    ]
    charts.draw(charts.build_times(drawn), f"How long each of the last {len(builds)} builds took.")
    columns = [
        Column("Built", lambda row: formats.moment(row["built_at"]), is_figure=False),
        Column("Took", lambda row: formats.duration(row["build_seconds"])),
        Column("Dates", lambda row: "all" if row["is_full_refresh"] else formats.count(len(row["touched_dates"]))),
        Column("Responses", lambda row: formats.count(row["response_count"])),
        Column("Data up to", lambda row: formats.moment(row["watermark_to"]), importance=2),
        Column("Tests", lambda row: formats.count(row["test_count"]), importance=2),
        Column("Kind", lambda row: row["status"], is_figure=False, importance=2),
    ]
    with st.expander("Show as a table"):
        st.html(table("Builds of the marts", columns, builds))


PAGE = Page(
    "Pipeline",
    "pipeline",
    show,
    {
        "Outcome": "outcome",
        "Messages": "message_count",
        "Newest": "newest_ingested_at",
        "Freshness": "freshness_seconds",
    },
    refresh=timedelta(seconds=30),
)
