"""Faults of the topic: what others do to it, and the decisions that a person takes then."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

from kafka import KafkaProducer, TopicPartition

from csat.clients.airflow_api import call
from csat.contract.alerts import AlertKey
from csat.contract.landing import Rejection
from csat.control.verdict import State
from csat.kafka.login import open_admin
from csat.kafka.offsets import kafka_offsets
from csat.local import kafka
from producer.simulate import Simulator
from tests.airflow_builds import held_builds
from tests.chaos.target import Target
from tests.chaos.waits import wait_for

_DOWN_SECONDS = 15
_DAG = "dags/run_stream"
_EVENTS = 40


def recreate_topic(target: Target) -> None:
    """Delete the topic once all of it has landed, create it again, and adopt it once the stream has stopped for it."""
    settings = target.settings
    with target.load.paused():
        wait_for(lambda: target.completeness().pending == 0, "end of the backlog")
        landed = target.row_count()
        with closing(open_admin(settings)) as admin:
            admin.delete_topics([settings.kafka_topic])
            wait_for(lambda: settings.kafka_topic not in admin.list_topics(), "end of the topic")
        kafka.create_topic(settings)
    _wait_for_alert(target, AlertKey.TOPIC_CHANGED)
    assert target.row_count() == landed, "the new topic landed before it was adopted"
    target.csat("stream", "adopt-topic", "--yes")


def expire_records(target: Target) -> None:
    """Delete records that wait for a stopped stream, as the retention does, and accept their loss."""
    settings = target.settings
    with stopped_stream(target):
        time.sleep(_DOWN_SECONDS)
        waiting = target.completeness().pending
        ends = {
            TopicPartition(topic, number): offsets.end
            for (topic, _, number), offsets in kafka_offsets(settings, [settings.kafka_topic]).items()
        }
        with closing(open_admin(settings)) as admin:
            admin.delete_records(ends)
        lost = target.completeness().lost
    assert lost >= waiting > 0, f"{lost} records are lost of {waiting} that waited"
    _wait_for_alert(target, AlertKey.RECORDS_EXPIRED)
    accepted = json.loads(target.csat("stream", "accept-loss", "--reason", "chaos", "--yes", "--json"))
    # The markers of transactions are read, and never land
    assert waiting <= accepted["lost"] <= lost, f"the command names {accepted['lost']} records, {lost} are lost"


@contextmanager
def stopped_stream(target: Target) -> Iterator[None]:
    """The stream is stopped inside, as the DAG's page describes: paused, and its run marked as failed."""
    settings = target.settings
    call(settings, "PATCH", _DAG, {"is_paused": True})
    try:
        for run in call(settings, "GET", f"{_DAG}/dagRuns?state=running")["dag_runs"]:
            call(settings, "PATCH", f"{_DAG}/dagRuns/{run['dag_run_id']}", {"state": "failed"})
        wait_for(lambda: not target.drivers(), "end of the driver")
        yield
    finally:
        call(settings, "PATCH", _DAG, {"is_paused": False})


def _wait_for_alert(target: Target, alert: AlertKey) -> None:
    """Until a driver has stopped with this alert."""

    def has_stopped() -> bool:
        heartbeat = target.state_files.heartbeat()
        return heartbeat is not None and (heartbeat.state, heartbeat.alert) == (State.FAILED, alert)

    wait_for(has_stopped, f"driver that stops with {alert}")


def abort_transactions(target: Target) -> None:
    """Commit and abort transactions in turn: each record of a committed one is a row, and none of the others."""
    settings = target.settings
    sent = {name: [f"{name} {uuid.uuid4()}".encode() for _ in range(_EVENTS)] for name in ("committed", "aborted")}
    client = KafkaProducer(bootstrap_servers=settings.bootstrap_servers, transactional_id=str(uuid.uuid4()))
    with closing(client):
        client.init_transactions()
        for first in range(0, _EVENTS, _EVENTS // 4):
            for name, end in (("committed", client.commit_transaction), ("aborted", client.abort_transaction)):
                client.begin_transaction()
                for payload in sent[name][first : first + _EVENTS // 4]:
                    client.send(settings.kafka_topic, payload)
                client.flush()
                end()
    wait_for(lambda: _payloads(target, sent["committed"]) >= _EVENTS, "rows of the committed transactions")
    assert (_payloads(target, sent["committed"]), _payloads(target, sent["aborted"])) == (_EVENTS, 0)


def _payloads(target: Target, payloads: list[bytes]) -> int:
    table = target.settings.table("raw", "survey_responses")
    wanted = ", ".join(f"b'{payload.decode()}'" for payload in payloads)
    [row] = target.rows(f"select count(*) as n from `{table}` where payload in ({wanted})")
    return int(row["n"])


def send_from_tomorrow(target: Target) -> None:
    """A producer whose clock is a day ahead sends: all of it is rejected, and the marts still follow the others."""
    settings, began = target.settings, datetime.now(UTC)
    producer = KafkaProducer(bootstrap_servers=settings.bootstrap_servers)
    with closing(producer):
        for message in Simulator(seed=began.microsecond).live(0, _EVENTS, began + timedelta(days=1)):
            producer.send(settings.kafka_topic, message.value, key=message.key)
    landing, fact = settings.table("raw", "survey_responses"), settings.table("marts", "fct_survey_responses")
    rejected = f"select count(*) as n from `{landing}` where rejection_reason = '{Rejection.IN_THE_FUTURE}'"
    since = f" and kafka_timestamp >= timestamp '{began.isoformat()}'"
    wait_for(lambda: bool(target.rows(rejected + since)[0]["n"] == _EVENTS), "rejected rows")
    time.sleep(2 * settings.trigger)
    with held_builds(settings):
        target.csat("marts", "build")
    [row] = target.rows(f"select max(survey_answered_at) as newest from `{fact}`")
    assert began < row["newest"] < datetime.now(UTC) + timedelta(minutes=1), f"the marts end at {row['newest']}"
