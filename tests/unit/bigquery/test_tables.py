"""Rows for the ops tables, against an unreachable BigQuery."""

import socket
import time
from pathlib import Path

import pytest

from csat.bigquery import tables
from csat.bigquery.client import Warehouse, WarehouseUnreachableError
from csat.contract.settings import Settings
from csat.local.secret_files import bigquery_token


def test_append_fails_within_seconds_when_bigquery_is_unreachable(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        settings = Settings(_env_file=None, state_dir=tmp_path, bigquery_port=port, bigquery_timeout_seconds=1)
        bigquery_token(settings)
        began = time.monotonic()
        with Warehouse(settings) as warehouse, pytest.raises(WarehouseUnreachableError, match="does not answer"):
            tables.append_rows(warehouse, "replays", [{"kafka_topic": "messages"}])
    assert time.monotonic() - began < 10
