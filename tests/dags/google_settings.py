"""Complete settings of a stream on Google Cloud."""

from typing import Any

from csat.contract.settings import Settings


def make_settings(**changes: Any) -> Settings:
    """Settings of a project in europe-west1, with changes by their names."""
    given = {
        "target": "gcp",
        "project_id": "shop",
        "region": "europe-west1",
        "code_uri": "gs://code",
        "stream_service_account": "stream@shop",
        "state_files_uri": "gs://documents/stream",
        "checkpoint_uri": "gs://checkpoints/stream",
        "kafka_bootstrap_servers": "kafka:9092",
        "kafka_security_protocol": "SASL_SSL",
        "kafka_sasl_mechanism": "OAUTHBEARER",
        "kafka_oauth_source": "google",
    }
    return Settings(_env_file=None, **given | changes)
