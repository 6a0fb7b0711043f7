"""What the image of csat's commands sets, for tests that run them without Docker."""

import re

from csat.contract.settings import ROOT


def image_environment() -> dict[str, str]:
    """What the image sets, from the first ENV of docker/Dockerfile; the programs are those of this checkout."""
    text = (ROOT / "docker/Dockerfile").read_text()
    block = re.search(r"^FROM \S+ AS base\nENV ((?:.*\\\n)*.*)$", text, re.MULTILINE)
    assert block
    variables = dict(word.split("=", 1) for word in block[1].replace("\\\n", " ").split())
    return variables | {"PATH": f"{ROOT / '.venv/bin'}:/usr/bin:/bin"}
