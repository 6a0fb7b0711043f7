"""Checks of the path from Kafka to the landing table. Each takes its facts, the time and the limits."""

from datetime import datetime, timedelta

from csat.contract.ages import age
from csat.contract.alerts import AlertKey, Severity
from csat.control.verdict import RECYCLING, RESTARTING, WARNING, Heartbeat, State, Verdict, judge
from csat.kafka.lag import KafkaFacts
from csat.kafka.topic import TopicFacts
from csat.monitoring.facts import LandingFacts, Limits, RunFacts, StreamFacts
from csat.monitoring.finding import Finding, since, within

_BETWEEN_RUNS = timedelta(minutes=2)  # Airflow creates the next run when it parses the DAG again: up to a minute


def stream_heartbeat(stream: StreamFacts, now: datetime, limits: Limits) -> Finding:
    """The age of the driver's last heartbeat."""
    own = stream.own_heartbeat
    if stream.desired_state is None:
        return Finding("the stream was never started", AlertKey.STREAM_DOWN)
    if own is None:
        is_late = (
            stream.desired_state.desired == "run"
            and age(stream.desired_state.at, now).total_seconds() > limits.policy.startup
        )
        text = f"no heartbeat of this run, requested {since(stream.desired_state.at, now)}"
        return Finding(
            text, AlertKey.STREAM_DOWN if is_late else None, value=(now - stream.desired_state.at).total_seconds()
        )
    is_late = own.state is State.RUNNING and not _is_alive(own, now, limits)
    text = f"last heartbeat {since(own.at, now)}, {own.state}"
    return Finding(text, AlertKey.STREAM_DOWN if is_late else None, value=(now - own.at).total_seconds())


def stream_verdict(stream: StreamFacts, now: datetime, limits: Limits) -> Finding:
    """The verdict that the guard makes."""
    if stream.desired_state is None:
        return Finding("the stream was never started", AlertKey.STREAM_DOWN)
    verdict = judge(stream.heartbeat, stream.desired_state, now, limits.policy)
    own = stream.own_heartbeat
    text = f"{verdict}: {own.error}" if own and own.error else verdict.value
    if verdict is Verdict.WAITING and own and own.waiting_since:
        text = f"waiting for {own.waiting_for} since {own.waiting_since:%Y-%m-%d %H:%M} UTC"
    if verdict in RESTARTING and own and own.alert in set(AlertKey):
        return Finding(text, AlertKey(own.alert), Severity.CRITICAL)
    if verdict is Verdict.POISON_BATCH:
        return Finding(text, AlertKey.POISON_BATCH)
    if verdict in RESTARTING:
        return Finding(text, AlertKey.STREAM_DOWN)
    if verdict in WARNING:
        return Finding(text, AlertKey.STREAM_SLOW)
    if verdict is Verdict.STOPPED:
        return Finding(f"stopped: {stream.desired_state.reason}", AlertKey.STREAM_STOPPED)
    if verdict in RECYCLING and stream.desired_state.desired == "run":  # the guard requests it within seconds
        return Finding(text, AlertKey.STREAM_RESTART_OVERDUE)
    return Finding(text)


def stream_uptime(stream: StreamFacts, now: datetime, limits: Limits) -> Finding:
    """Uptime of the stream run: checks with the same start time saw the same run. Never an alert."""
    own = stream.own_heartbeat
    if own is None or own.state is not State.RUNNING or not _is_alive(own, now, limits):
        return Finding("the stream is not running")
    return Finding(f"this run started {since(own.started_at, now)}", value=(now - own.started_at).total_seconds())


def _is_alive(own: Heartbeat, now: datetime, limits: Limits) -> bool:
    stale = timedelta(seconds=limits.policy.stale)
    return age(own.at, now, stale) <= stale


def run_stream_dag(run: RunFacts, now: datetime, limits: Limits) -> Finding:
    """Whether Airflow monitors the stream."""
    if run.is_paused:
        return Finding("the DAG run_stream is paused: no new stream run starts", AlertKey.STREAM_STOPPED)
    if run.active_count:
        return Finding("a run of run_stream is active", value=run.active_count)
    if run.ended_at and age(run.ended_at, now) <= _BETWEEN_RUNS:
        return Finding(f"between two runs, the last ended {since(run.ended_at, now)}", value=0, is_proof=False)
    return Finding("no run of run_stream is active", AlertKey.STREAM_UNMONITORED, value=0)


def kafka_backlog(kafka: KafkaFacts, now: datetime, limits: Limits) -> Finding:
    """Messages that wait in Kafka."""
    is_high = kafka.backlog > limits.backlog
    text = f"{kafka.backlog:,} messages wait in Kafka" + (f", more than {limits.backlog:,}" if is_high else "")
    return Finding(text, AlertKey.KAFKA_BACKLOG if is_high else None, value=kafka.backlog)


def topic_configuration(topic: TopicFacts, now: datetime, limits: Limits) -> Finding:
    """Whether Kafka's clock sets the record times, and messages are kept; the value is the retention in seconds."""
    retention_seconds = topic.retention_ms / 1000 if topic.retention_ms >= 0 else None
    if topic.problems:
        return Finding("; ".join(topic.problems), AlertKey.TOPIC_MISCONFIGURED, value=retention_seconds)
    return Finding(topic.retention, value=retention_seconds)


def landing_freshness(kafka: KafkaFacts, landing: LandingFacts, now: datetime, limits: Limits) -> Finding:
    """Age of the newest landed row: an alert only while messages are overdue."""
    age_seconds = (now - landing.newest_at).total_seconds() if landing.newest_at else None
    newest = f"newest row {since(landing.newest_at, now)}" if landing.newest_at else "no row in the last hour"
    is_old = age_seconds is None or age_seconds > limits.landing.total_seconds()
    if kafka.overdue and is_old:
        text = f"{kafka.overdue:,} messages have waited for more than {within(limits.landing)}, {newest}"
        return Finding(text, AlertKey.LANDING_DELAYED, value=age_seconds)
    return Finding(newest if kafka.overdue else f"{newest}, nothing overdue", value=age_seconds)


def completeness(landing: LandingFacts, now: datetime, limits: Limits) -> Finding:
    """Whether each message of the last hour is one row."""
    if landing.duplicated or landing.lost:
        text = (
            f"of {landing.records:,} messages, {landing.lost or 0:,} are lost and {landing.duplicated:,} landed twice"
        )
        return Finding(text, AlertKey.RECORDS_LOST_OR_DUPLICATED, value=(landing.lost or 0) + landing.duplicated)
    if landing.lost is None:
        return Finding("gaps between offsets, examined once an hour", is_proof=False)
    return Finding(f"each of {landing.records:,} messages is one row", value=0)


def reject_rate(landing: LandingFacts, now: datetime, limits: Limits) -> Finding:
    """How many of the last hour's messages were rejected."""
    share = landing.rejected / landing.records if landing.records else 0.0
    is_high = landing.rejected >= limits.reject_count and share > limits.reject_rate
    text = f"{landing.rejected:,} of {landing.records:,} messages rejected ({share:.1%})"
    return Finding(text, AlertKey.REJECT_RATE_HIGH if is_high else None, value=share)
