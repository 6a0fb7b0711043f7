"""Runs a program as another user of this machine: what it prints is all that it could get."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

_NOBODY = 65534
# Not ours, which is in a home that others may not enter
_PYTHONS = ("/usr/bin/python3", "/usr/local/bin/python3", "/bin/python3")


def run(code: str, **arguments: Any) -> Any:
    """What the code leaves in `found`, as JSON. It gets the arguments as variables, and runs in /."""
    text = f"import json\nglobals().update(json.loads(input()))\n{code}\nprint(json.dumps(found))"
    as_nobody: dict[str, Any] = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(
        [*_sudo(), _python(), "-c", text],
        input=json.dumps(arguments, default=str),
        cwd="/",
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **as_nobody,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _sudo() -> list[str]:
    if os.geteuid() == 0:
        return []
    command = [shutil.which("sudo") or "/bin/false", "-n", "-u", "nobody"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode != 0:
        pytest.fail("nothing was attacked: becoming another user needs root, or sudo without a password")
    return command


def _python() -> str:
    found = next((path for path in _PYTHONS if Path(path).exists()), None)
    if found is None:
        pytest.fail(f"no Python that another user may run: none of {_PYTHONS}")
    return found
