"""The emulator starts only with the version of its package that the patches are written for."""

import subprocess

import pytest

from csat.contract.settings import ROOT
from csat.local.programs import EMULATOR_PYTHON

pytestmark = pytest.mark.integration

OTHER = "from csat.local.emulator import serve; serve.VERSION = '0.3.1'; serve.main()"


def test_another_version_is_refused_with_the_fix() -> None:
    command = [str(EMULATOR_PYTHON), "-c", OTHER, "--token-file", "none"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "error: local-bigquery is 0.3.2, its patches are for 0.3.1, fix: rm .venvs/emulator/.synced && make setup\n"
    )
