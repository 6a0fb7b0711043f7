"""The checks of the way from Kafka to the landing table. Each takes its facts, the time and the limits."""

from datetime import datetime, timedelta

from csat.alerts import AlertKey
from csat.health import RECYCLING, RESTARTING, WARNING, State, Verdict, judge
from warehouse.facts import KafkaFacts, LandingFacts, Limits, RunFacts, StreamFacts
from warehouse.finding import Finding, since, within

_BETWEEN_RUNS = timedelta(minutes=2)  # Airflow makes the next run when it reads the DAG again: up to a minute


def stream_beat(stream: StreamFacts, now: datetime, limits: Limits) -> Finding:
    """The age of the driver's last word."""
    own = stream.own_health
    if stream.control is None:
        return Finding("the stream was never started", AlertKey.STREAM_DOWN)
    if own is None:
        age = (now - stream.control.at).total_seconds()
        is_late = stream.control.desired == "run" and age > limits.policy.startup
        text = f"no beat of this life, asked for {since(stream.control.at, now)}"
        return Finding(text, AlertKey.STREAM_DOWN if is_late else None, value=age)
    age = (now - own.at).total_seconds()
    is_late = own.state is State.RUNNING and age > limits.policy.stale
    text = f"last beat {since(own.at, now)}, {own.state}"
    return Finding(text, AlertKey.STREAM_DOWN if is_late else None, value=age)


def stream_verdict(stream: StreamFacts, now: datetime, limits: Limits) -> Finding:
    """What the guard's own judgement says."""
    if stream.control is None:
        return Finding("the stream was never started", AlertKey.STREAM_DOWN)
    verdict = judge(stream.health, stream.control, now, limits.policy)
    own = stream.own_health
    text = f"{verdict}: {own.error}" if own and own.error else verdict.value
    if verdict is Verdict.POISON_BATCH:
        return Finding(text, AlertKey.POISON_BATCH)
    if verdict in RESTARTING:
        return Finding(text, AlertKey.STREAM_DOWN)
    if verdict in WARNING:
        return Finding(text, AlertKey.STREAM_SLOW)
    if verdict is Verdict.STOPPED:
        return Finding(f"stopped: {stream.control.reason}", AlertKey.STREAM_STOPPED)
    if verdict in RECYCLING and stream.control.desired == "run":  # the guard asks for it within seconds
        return Finding(text, AlertKey.STREAM_OVERDUE)
    return Finding(text)


def stream_life(stream: StreamFacts, now: datetime, limits: Limits) -> Finding:
    """How long this life of the stream runs: looks that agree on its beginning saw the same life. Never an alert."""
    own = stream.own_health
    is_alive = own is not None and own.state is State.RUNNING
    if own is None or not is_alive or (now - own.at).total_seconds() > limits.policy.stale:
        return Finding("no life of the stream runs")
    return Finding(f"this life began {since(own.started_at, now)}", value=(now - own.started_at).total_seconds())


def run_stream(run: RunFacts, now: datetime, limits: Limits) -> Finding:
    """Whether Airflow watches the stream."""
    if run.is_paused:
        return Finding("the DAG run_stream is paused: no new life of the stream begins", AlertKey.STREAM_STOPPED)
    if run.active_count:
        return Finding("a run of run_stream is active", value=run.active_count)
    if run.ended_at and now - run.ended_at <= _BETWEEN_RUNS:
        return Finding(f"between two runs, the last ended {since(run.ended_at, now)}", value=0, is_proof=False)
    return Finding("no run of run_stream is active", AlertKey.STREAM_UNGUARDED, value=0)


def kafka_backlog(kafka: KafkaFacts, now: datetime, limits: Limits) -> Finding:
    """Messages that wait in Kafka."""
    is_high = kafka.backlog > limits.backlog
    text = f"{kafka.backlog:,} messages wait in Kafka" + (f", more than {limits.backlog:,}" if is_high else "")
    return Finding(text, AlertKey.KAFKA_BACKLOG if is_high else None, value=kafka.backlog)


def landing_age(kafka: KafkaFacts, landing: LandingFacts, now: datetime, limits: Limits) -> Finding:
    """The age of the newest landed row: only bad while messages wait that should have landed by now."""
    age = (now - landing.newest_at).total_seconds() if landing.newest_at else None
    newest = f"newest row {since(landing.newest_at, now)}" if landing.newest_at else "no row in the last hour"
    is_old = age is None or age > limits.landing.total_seconds()
    if kafka.overdue and is_old:
        text = f"{kafka.overdue:,} messages wait for more than {within(limits.landing)}, {newest}"
        return Finding(text, AlertKey.LANDING_LATE, value=age)
    return Finding(newest if kafka.overdue else f"{newest}, nothing overdue", value=age)


def completeness(landing: LandingFacts, now: datetime, limits: Limits) -> Finding:
    """Whether each record of the last hour is one row."""
    if landing.duplicated or landing.lost:
        text = f"of {landing.records:,} records {landing.lost or 0:,} are lost and {landing.duplicated:,} landed twice"
        return Finding(text, AlertKey.RECORDS_WRONG, value=(landing.lost or 0) + landing.duplicated)
    if landing.lost is None:
        return Finding("records with old answer dates: searched for once an hour", is_proof=False)
    return Finding(f"each of {landing.records:,} records is one row", value=0)


def reject_share(landing: LandingFacts, now: datetime, limits: Limits) -> Finding:
    """How many of the last hour's records were rejected."""
    share = landing.rejected / landing.records if landing.records else 0.0
    is_high = landing.rejected >= limits.reject_count and share > limits.reject_share
    text = f"{landing.rejected:,} of {landing.records:,} records rejected ({share:.1%})"
    return Finding(text, AlertKey.REJECTS_HIGH if is_high else None, value=share)
