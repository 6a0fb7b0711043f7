"""Rows for the ops tables, against a BigQuery that is not there."""

import socket
import time
from pathlib import Path

import pytest

from csat.settings import Settings
from local.secret_files import bigquery_token
from warehouse import tables
from warehouse.client import Warehouse, WarehouseUnreachableError


def test_append_gives_up_on_a_dead_bigquery_within_seconds(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        settings = Settings(_env_file=None, state_dir=tmp_path, bigquery_port=port, bigquery_timeout_seconds=1)
        bigquery_token(settings)
        began = time.monotonic()
        with Warehouse(settings) as warehouse, pytest.raises(WarehouseUnreachableError, match="does not answer"):
            tables.append_rows(warehouse, "replays", [{"kafka_topic": "messages"}])
    assert time.monotonic() - began < 10
