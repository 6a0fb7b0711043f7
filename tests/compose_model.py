"""docker-compose.yaml as Docker Compose itself understands it, and what docker/Dockerfile gives to its containers."""

import json
import re
import shlex
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from csat.contract.settings import ROOT

# Not .venv/bin/docker-compose: that forgets the exit code
COMPOSE = Path(str(getattr(find_spec("compose"), "origin", ""))).with_name("docker-compose")
HOME = "/nonexistent"
DOCKERFILE = ROOT / "docker" / "Dockerfile"
# What each target needs of .env
NEEDED: dict[str, dict[str, str]] = {
    "local": {},
    "gcp": {
        "CSAT_TARGET": "gcp",
        "CSAT_PROJECT_ID": "shopzilla",
        "CSAT_STAGING_URI": "gs://shopzilla-staging",
    },
}


def compose(*arguments: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What Compose says to a command where these variables are all of .env; nothing of this machine's own counts."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": HOME}
    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(ROOT / "docker-compose.yaml", folder)
        shutil.copytree(ROOT / "docker", folder / "docker")
        (folder / ".env").write_text("".join(f"{variable}={text}\n" for variable, text in variables.items()))
        command = [str(COMPOSE), *arguments]
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        )


def rendered(target: str, profile: str = "", **more: str) -> dict[str, Any]:
    """The whole model of a target, with more lines of .env; `profile` is one of its profiles, * all of them."""
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


def target_of(model: dict[str, Any], name: str) -> str:
    """The Dockerfile's target behind a service: of its own build, or of the service that builds its image.

    Empty for images that are not ours.
    """
    image = model["services"][name]["image"]
    targets = [one["build"]["target"] for one in model["services"].values() if one["image"] == image and "build" in one]
    return str(targets[0]) if targets else ""


def image_variables(stage: str) -> dict[str, str]:
    """What an image puts into the environment of its containers."""
    variables: dict[str, str] = {}
    for word, argument in instructions(stage):
        if word == "ENV":
            variables |= dict(pair.split("=", 1) for pair in shlex.split(argument))
    return variables
