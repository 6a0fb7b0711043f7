"""Quix Streams with its BigQuery sink, as its documentation has it: streaming inserts, at least once."""

import sys
from typing import Any

from google.auth.credentials import AnonymousCredentials
from quixstreams import Application, message_context
from quixstreams.sinks.community.bigquery import BigQuerySink

from csat.settings import get_settings

_ROWS_PER_COMMIT = 5_000


class SpeakingSink(BigQuerySink):  # type: ignore[misc]  # the package has no types
    """The sink, which says what it has written."""

    def write(self, batch: Any) -> None:
        """Write one batch."""
        super().write(batch)
        print("landed", batch.size, flush=True)


def main() -> None:
    """Run until N messages were taken."""
    settings, wanted = get_settings(), int(sys.argv[1])
    application = Application(
        broker_address=settings.bootstrap_servers,
        consumer_group=settings.dataset_prefix,
        auto_offset_reset="earliest",
        commit_every=_ROWS_PER_COMMIT,
        loglevel="WARNING",
    )
    stream = application.dataframe(application.topic(settings.kafka_topic, value_deserializer="json"))

    def with_place(value: dict[str, Any], key: Any, timestamp: int, headers: Any) -> dict[str, Any]:
        here = message_context()
        place = {"kafka_topic": here.topic, "kafka_partition": here.partition, "kafka_offset": here.offset}
        return value | place

    stream.apply(with_place, metadata=True).sink(
        SpeakingSink(
            project_id=settings.project_id,
            location=settings.location,
            dataset_id=settings.dataset("raw"),
            table_name="survey_responses",
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": settings.endpoint},
        )
    )
    print("started", flush=True)
    application.run(count=wanted, timeout=30)


if __name__ == "__main__":
    main()
