"""The Java that Kafka, Spark and Ivy run on."""

import re
import shutil
import subprocess
from pathlib import Path

from csat.contract.errors import CsatError
from csat.contract.settings import ROOT, environment

MIN_VERSION = 17
OWN_HOME = ROOT / ".venvs" / "jdk"  # tools/bootstrap fills it if the machine has no suitable Java
_FIX = f"make setup installs one, or set JAVA_HOME to Java {MIN_VERSION} or newer"


def find_java(own_home: Path = OWN_HOME) -> Path:
    """The java command of the project's own Java, else of JAVA_HOME, else of PATH.

    Raises CsatError if that is not Java 17 or newer.
    """
    own = own_home / "bin" / "java"
    if own.exists():
        return own
    variables = environment()
    home = variables.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin" if home else variables.get("PATH", ""))
    if found is None:
        raise CsatError(f"no java in {'JAVA_HOME=' + home if home else 'PATH'}", _FIX)
    version = _version(found)
    if version < MIN_VERSION:
        raise CsatError(f"{found} is Java {version}", _FIX)
    return Path(found)


def java_variables(own_home: Path = OWN_HOME) -> dict[str, str]:
    """The variables that make programs such as pyspark use the project's own Java; empty if the machine's is used."""
    return {"JAVA_HOME": str(own_home)} if own_home.exists() else {}


def _version(java: str) -> int:
    output = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False).stderr
    match = re.search(r'version "(?:1\.)?(\d+)', output)
    if match is None:
        raise CsatError(f"{java} -version prints no version", _FIX)
    return int(match[1])
