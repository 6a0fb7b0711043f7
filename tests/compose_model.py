"""docker-compose.yaml as Docker Compose itself understands it, and what docker/Dockerfile gives to its containers."""

import json
import re
import shlex
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from csat.settings import ROOT

# Not .venv/bin/docker-compose: that forgets the exit code
COMPOSE = Path(str(find_spec("compose").origin)).with_name("docker-compose")  # type: ignore[union-attr]
DOCKERFILE = ROOT / "docker" / "Dockerfile"
# What each target needs of .env; nothing of this machine's own has a say
NEEDED = {
    "local": {"CONTAINER_UID": "10001"},
    "gcp": {
        "CONTAINER_UID": "10001",
        "CSAT_TARGET": "gcp",
        "CSAT_PROJECT_ID": "shopzilla",
        "CSAT_STAGING_URI": "gs://shopzilla-staging",
    },
}


def compose(*arguments: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What Compose says to a command, with these variables only."""
    command = [str(COMPOSE), "--env-file", "/dev/null", *arguments]
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def rendered(target: str, profile: str = "", **more: str) -> dict[str, Any]:
    """The whole model of a target; `profile` is one of its profiles, * all of them."""
    profiles = ["--profile", profile] if profile else []
    done = compose(*profiles, "config", "--format", "json", variables=NEEDED[target] | more)
    assert done.returncode == 0, done.stderr
    model: dict[str, Any] = json.loads(done.stdout)
    return model


def instructions(stage: str) -> list[tuple[str, str]]:
    """The instructions behind an image, those of the images that it is made from first."""
    found: list[tuple[str, str]] = []
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    for block in re.split(r"^(?=FROM )", text, flags=re.MULTILINE)[1:]:
        lines = [line for line in block.splitlines() if line.strip() and not line.startswith("#")]
        first, *rest = lines
        parent, _, name = first.removeprefix("FROM ").partition(" AS ")
        if name.strip() == stage:
            words = [line.partition(" ") for line in rest]
            found = instructions(parent) + [(word, argument.strip()) for word, _, argument in words]
    return found


def image_variables(stage: str) -> dict[str, str]:
    """What an image puts into the environment of its containers."""
    variables = {}
    for word, argument in instructions(stage):
        if word == "ENV":
            variables |= dict(pair.split("=", 1) for pair in shlex.split(argument))
    return variables
