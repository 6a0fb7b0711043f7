import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from csat.settings import ROOT

Check = Callable[[dict[str, Any]], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def check(tmp_path_factory: pytest.TempPathFactory) -> Check:
    """Runs the check on a recording, in the environment that has the analyser."""

    def run(recording: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        path: Path = tmp_path_factory.mktemp("sqlcheck") / "recording.json"
        path.write_text(json.dumps(recording))
        command = [ROOT / ".venvs" / "sqlcheck" / "bin" / "python", "-m", "sqlcheck", path]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)

    return run
