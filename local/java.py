"""The Java that Kafka, Spark and Ivy run on."""

import re
import shutil
import subprocess
from pathlib import Path

from csat.settings import environment

MIN_VERSION = 17
_FIX = f"install Java {MIN_VERSION} or newer and put it on PATH, or set JAVA_HOME"


class JavaError(Exception):
    """There is no Java that fits; the message names the fix."""


def find_java() -> Path:
    """The java command of JAVA_HOME, else of PATH. Raises JavaError where there is none of Java 17 or newer."""
    variables = environment()
    home = variables.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin" if home else variables.get("PATH", ""))
    if found is None:
        raise JavaError(f"no java in {'JAVA_HOME=' + home if home else 'PATH'}, fix: {_FIX}")
    version = _version(found)
    if version < MIN_VERSION:
        raise JavaError(f"{found} is Java {version}, fix: {_FIX}")
    return Path(found)


def _version(java: str) -> int:
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False).stderr
    match = re.search(r'version "(?:1\.)?(\d+)', answer)
    if match is None:
        raise JavaError(f"{java} -version says nothing of a version, fix: {_FIX}")
    return int(match[1])
