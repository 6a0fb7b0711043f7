"""The status line of every page: whether the data are fresh, and which alerts are open."""

from datetime import datetime, timedelta

from csat.bigquery.query import Rows
from csat.contract.alerts import ALERTS, AlertKey, Severity
from csat.dashboard.source import BoundQuery, State
from csat.dashboard.tables import Html, Row, badge, joined, lines, link
from csat.reporting import formats, queries

# On Google Cloud each query bills at least 10 MB
OPEN_ALERTS = BoundQuery(queries.OPEN_ALERTS, {}, cached_for=timedelta(minutes=1), outlives_builds=True)


def status_line(state: State, target: timedelta, alerts: Rows, now: datetime) -> Html:
    """The open alerts, the worst in words, and the freshness of the data. It is green only without a critical alert."""
    is_critical = any(alert["severity"] == Severity.CRITICAL for alert in alerts)
    pieces = [_freshness(state, target, now, "empty" if is_critical else "fresh")]
    if alerts:
        pieces.insert(0, _alerts(alerts, now))
    return joined(*(joined(Html('<p class="status" role="status">'), piece, Html("</p>")) for piece in pieces))


def severity_badge(severity: str) -> Html:
    """Warning or Critical, each with an icon and a colour of its own."""
    return badge(severity.capitalize(), severity)


def alert_cell(row: Row) -> Html:
    """What an alert means, the link to its section of the runbook, and what was found."""
    return lines(joined(_meaning(row), " ", _runbook(row)), row["text"] or "")


def _alerts(alerts: Rows, now: datetime) -> Html:
    worst, others = alerts[0], len(alerts) - 1
    more = f", {others} more" if others else ""
    return joined(
        severity_badge(worst["severity"]),
        f" {_meaning(worst)} Opened {formats.age(now - worst['opened_at'])}. ",
        _runbook(worst),
        " · ",
        link(f"See the pipeline{more}", "pipeline"),
    )


def _meaning(row: Row) -> str:
    known = row["alert_key"] in set(AlertKey)
    meaning = ALERTS[AlertKey(row["alert_key"])].meaning if known else row["alert_key"]
    return f"{meaning} ({row['about']})" if row["about"] else meaning


def _runbook(row: Row) -> Html:
    return link("Runbook", "runbook", alert=row["alert_key"])


def _freshness(state: State, target: timedelta, now: datetime, fresh: str) -> Html:
    details: str | Html = ""
    if state.data_up_to is not None:
        details = f" Data up to {formats.moment(state.data_up_to)}, {formats.age(now - state.data_up_to)}."
    if state.failure is not None:
        details = joined(details, f" {_failure_text(state)}")
    if not state.is_reachable:
        return joined(badge("Not connected", "offline"), details)
    if state.data_up_to is None:
        return badge("No data", "empty")
    if state.is_stale(now, target):
        goal = f" The target is {target.total_seconds() / 60:g} min. "
        return joined(badge("Stale", "stale"), details, goal, link("See the pipeline", "pipeline"))
    return joined(badge("Fresh", fresh), details)


def _failure_text(state: State) -> str:
    """When the figures were built, and what failed in a build since."""
    failure = state.failure
    assert failure is not None
    assert state.built_at is not None
    what = f"the {failure.kind} {failure.name}"
    if failure.model != failure.name:
        what += f" of {failure.model}"
    built, failed = formats.moment(state.built_at), formats.moment(failure.failed_at)
    return f"These figures were built on {built}; in a later build {what} failed on {failed}."
