"""A Spark home whose executors are processes of their own: Spark's local-cluster, as on several machines.

pip's pyspark is no complete home: executors would work inside the installed package. And Spark starts a speculative
copy only on another host, so each executor has a loopback address of its own.
"""

import os
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path

from csat.contract.settings import Settings
from csat.local.java import find_java
from csat.local.secret_files import write_private

EXECUTOR_MEGABYTES = 1_024
_JAVA = """\
#!/bin/bash
arguments=("$@")
for index in "${{!arguments[@]}}"; do
  case "${{arguments[index]}}" in
    --executor-id) id=${{arguments[index + 1]}} ;;
    --hostname) arguments[index + 1]=127.0.0.$((id % 250 + 2)) ;;
  esac
done
exec {java} "${{arguments[@]}}"
"""


def master(executors: int) -> str:
    """Spark's master for that many executors of one core each."""
    return f"local-cluster[{executors},1,{EXECUTOR_MEGABYTES}]"


def spark_home(
    folder: Path, settings: Settings, python: str, options: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Make the home in an empty folder, of this python's pyspark; the variables of a driver that uses it.

    `options` are more of Spark's.
    """
    code = "import pyspark; print(pyspark.__path__[0], pyspark.__version__)"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    package, version = done.stdout.split()
    jars = sorted((settings.jars_dir / f"spark-kafka-{version}").glob("*.jar"))
    home, java = folder / "spark", folder / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(_JAVA.format(java=find_java()))
    java.chmod(0o755)
    home.mkdir()
    for name in ("bin", "jars"):
        (home / name).symlink_to(Path(package, name))
    defaults = {
        # local-cluster makes none by itself; on a command line other users could read it
        "spark.authenticate.secret": secrets.token_hex(32),
        "spark.executor.memory": f"{EXECUTOR_MEGABYTES}m",
        "spark.executor.extraClassPath": os.pathsep.join(str(jar) for jar in jars),
        **(options or {}),
    }
    write_private(
        home / "conf" / "spark-defaults.conf", "".join(f"{name} {value}\n" for name, value in defaults.items())
    )
    return {"SPARK_HOME": str(home), "JAVA_HOME": str(java.parents[1])}
