"""The JVM's archive of the stream's classes: `python -m csat.local.class_archive`.

A cold driver spends seconds on loading some fifteen thousand classes. One run of the real stream, on a broker and an
emulator of its own, writes them into an archive that later drivers map into memory. It fits one Java and one set of
jars; Java ignores it elsewhere.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

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
    """Write the archive where it is missing or of another Java or other jars; False where a driver could not."""
    archive = class_archive(settings)
    made_of = archive.with_suffix(".json")
    wanted = _ingredients(settings)
    if archive.exists() and made_of.exists() and json.loads(made_of.read_text()) == wanted:
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
    made_of.write_text(json.dumps(wanted))
    return True


def _ingredients(settings: Settings) -> dict[str, object]:
    java = find_java()
    version = subprocess.run([str(java), "-version"], capture_output=True, text=True, timeout=30, check=True).stderr
    jars = [jar.name for jar in connector_jars(settings)]
    # An option that is new brings classes that are new
    return {"java": version, "jars": jars, "root": str(ROOT), "options": sorted(session_options(settings))}


def _run_driver(settings: Settings, draft: Path) -> None:
    options = f"-XX:ArchiveClassesAtExit={draft} -XX:TieredStopAtLevel=1"  # it lives too short for the second compiler
    recording = settings.model_copy(update={"spark_driver_java_options": options})
    command = [str(PYTHON), "-m", "spark.stream_responses", "--catch-up"]
    variables = environment(**recording.as_environment(), **stream_variables())
    # Its output ends with the JVM, which outlives the driver while it writes: then the archive is whole
    subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, timeout=_DRIVER_SECONDS, check=True)


def main() -> None:
    """Make the archive, saying so on stderr; its lack costs seconds, not the set-up."""
    if not make(get_settings(), lambda line: print(line, file=sys.stderr)):
        print("no class archive: the stream starts some seconds slower", file=sys.stderr)


if __name__ == "__main__":
    main()
