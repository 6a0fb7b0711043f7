"""Ports that no other stack is given."""

import subprocess
import sys

from csat.contract.settings import ROOT
from csat.local.ports import free_port, free_ports


def test_every_port_setting_gets_a_port_that_no_call_named_before() -> None:
    first, second = free_ports(), free_ports()
    assert {"kafka_port", "bigquery_port", "airflow_port"} <= set(first)
    assert len({*first.values(), *second.values()}) == 2 * len(first)


def test_another_process_gets_ports_of_its_own() -> None:
    ask = "from csat.local.ports import free_port; print([free_port() for _ in range(150)])"
    own = {free_port() for _ in range(150)}
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    others = set(map(int, done.stdout.strip("[]\n").split(",")))
    assert len(others) == 150
    assert not own & others
