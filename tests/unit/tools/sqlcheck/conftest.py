import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from csat.contract.settings import ROOT

Check = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def check(tmp_path_factory: pytest.TempPathFactory) -> Check:
    """Runs the check on recordings, in the environment that has the analyser."""

    def run(*recordings: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        folder: Path = tmp_path_factory.mktemp("sqlcheck")
        paths = [folder / f"{number}.json" for number in range(len(recordings))]
        for path, recording in zip(paths, recordings, strict=True):
            path.write_text(json.dumps(recording))
        command = [str(ROOT / ".venvs" / "sqlcheck" / "bin" / "python"), "-m", "tools.sqlcheck", *map(str, paths)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)

    return run
