"""The JVM's archive of the stream's classes: `python -m csat.local.class_archive`.

A cold driver spends seconds on loading some fifteen thousand classes. One run of the real stream, on its own broker and
emulator, writes them into an archive that later drivers map into memory. The archive fits one Java and one set of jars;
Java ignores it elsewhere.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from csat.contract.errors import CsatError
from csat.contract.settings import ROOT, Settings, environment, get_settings
from csat.local import stack
from csat.local.java import find_java
from csat.local.ports import free_ports
from csat.local.programs import PYTHON, stream_variables
from producer.options import SimulateOptions
from producer.run import simulate
from spark.session import class_archive, connector_jars, session_options

_DRIVER_SECONDS = 420


def make(settings: Settings, on_progress: Callable[[str], None]) -> bool:
    """Write the archive if it is missing or made with another Java or other jars; False if the driver wrote none."""
    archive = class_archive(settings)
    inputs_file = archive.with_suffix(".json")
    inputs = _inputs(settings)
    if archive.exists() and inputs_file.exists() and json.loads(inputs_file.read_text()) == inputs:
        return True
    archive.unlink(missing_ok=True)
    on_progress("recording the stream's classes, so that it starts faster")
    draft = archive.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with TemporaryDirectory() as folder:
        own = settings.model_copy(update={"state_dir": Path(folder), **free_ports()})
        with stack.running(own, lambda line: None, has_airflow=False, has_dashboard=False):
            simulate(own, SimulateOptions(events=2_000))
            _run_driver(own, draft)
    if not draft.exists():
        return False
    draft.rename(archive)
    inputs_file.write_text(json.dumps(inputs))
    return True


def _inputs(settings: Settings) -> dict[str, object]:
    java = find_java()
    version = subprocess.run([str(java), "-version"], capture_output=True, text=True, timeout=30, check=True).stderr
    jars = [jar.name for jar in connector_jars(settings)]
    # A new option may load new classes
    return {"java": version, "jars": jars, "root": str(ROOT), "options": sorted(session_options(settings))}


def _run_driver(settings: Settings, draft: Path) -> None:
    options = f"-XX:ArchiveClassesAtExit={draft} -XX:TieredStopAtLevel=1"  # it runs too briefly for the second compiler
    recording = settings.model_copy(update={"spark_driver_java_options": options})
    command = [str(PYTHON), "-m", "spark.stream_responses", "--catch-up"]
    variables = environment(**recording.as_environment(), **stream_variables())
    # The output ends with the JVM, which writes the archive after the driver has exited: then it is complete
    subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, timeout=_DRIVER_SECONDS, check=True)


def main() -> None:
    """Make the archive, with progress on stderr; without one, set-up succeeds and the stream starts slower."""
    try:
        reason = None if make(get_settings(), lambda line: print(line, file=sys.stderr)) else "the driver wrote none"
    except (CsatError, subprocess.SubprocessError) as error:
        reason = str(error)
    if reason:
        print(f"no class archive, so the stream starts some seconds slower: {reason}", file=sys.stderr)


if __name__ == "__main__":
    main()
