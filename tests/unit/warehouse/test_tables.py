"""Rows for the ops tables, against a BigQuery that is not there."""

import socket
import time

import pytest

from csat.settings import Settings
from warehouse import tables
from warehouse.client import Warehouse, WarehouseUnreachableError


def test_append_gives_up_on_a_dead_bigquery_within_seconds() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings = Settings(_env_file=None, bigquery_port=probe.getsockname()[1], bigquery_timeout_seconds=1)
        began = time.monotonic()
        with Warehouse(settings) as warehouse, pytest.raises(WarehouseUnreachableError, match="does not answer"):
            tables.append_rows(warehouse, "replays", [{"kafka_topic": "messages"}])
    assert time.monotonic() - began < 10
