"""Downloads the jars of Kafka and of Spark's Kafka connector with pyspark's Ivy: `python -m csat.local.jars`."""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from csat.contract.errors import CsatError
from csat.contract.settings import get_settings
from csat.local import jar_sums
from csat.local.java import find_java

KAFKA_VERSION = "4.3.1"
DATAPROC_SPARK_VERSION = "4.0.1"  # of runtime 3.0
GOOGLE_LOGIN_VERSION = "1.0.6"
LOG4J_VERSION = "2.25.4"  # of Kafka's own log4j-core
_FETCH_SECONDS = 600
_PATTERN = "[artifact]-[revision](-[classifier]).[ext]"


@dataclass(frozen=True)
class Bundle:
    """Jars of one folder: `modules` with their dependencies, without those that pyspark has; `alone` without any.

    `pinned_by` is the target of make that pins them.
    """

    folder: str
    modules: tuple[tuple[str, str, str], ...]
    is_beside_pyspark: bool
    alone: tuple[tuple[str, str, str], ...] = ()
    pinned_by: str = "lock-jars"


def kafka_bundle() -> Bundle:
    """The broker, and the binding without which it does not log."""
    modules = (
        ("org.apache.kafka", "kafka_2.13", KAFKA_VERSION),
        ("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J_VERSION),
    )
    return Bundle(f"kafka-{KAFKA_VERSION}", modules, is_beside_pyspark=False)


def spark_bundle() -> Bundle:
    """Spark's Kafka connector for the pyspark that is installed."""
    spark = version("pyspark")
    modules = (("org.apache.spark", "spark-sql-kafka-0-10_2.13", spark),)
    return Bundle(f"spark-kafka-{spark}", modules, is_beside_pyspark=True)


def dataproc_bundle() -> Bundle:
    """The same for a batch of Dataproc, and Google's login to its Managed Service for Apache Kafka."""
    modules = (
        ("org.apache.spark", "spark-sql-kafka-0-10_2.13", DATAPROC_SPARK_VERSION),
        ("com.google.auth", "google-auth-library-oauth2-http", "1.23.0"),
        ("com.google.api-client", "google-api-client", "1.32.1"),
    )
    # Alone: it also declares Confluent's schema registry, which the login does not need and Maven Central lacks
    login = ("com.google.cloud.hosted.kafka", "managed-kafka-auth-login-handler", GOOGLE_LOGIN_VERSION)
    folder = f"spark-kafka-{DATAPROC_SPARK_VERSION}-dataproc"
    return Bundle(folder, modules, is_beside_pyspark=True, alone=(login,), pinned_by="lock-jars-dataproc")


def kafka_jars(jars_dir: Path) -> list[Path]:
    """The broker's jars. Raises CsatError if they were not downloaded."""
    return _jars(jars_dir / kafka_bundle().folder)


def spark_jars(jars_dir: Path) -> list[Path]:
    """The jars that Spark needs beside its own to read Kafka. Raises CsatError if they were not downloaded."""
    return _jars(jars_dir / spark_bundle().folder)


def dataproc_jars(jars_dir: Path) -> list[Path]:
    """The jars that a batch of Dataproc needs beside Spark's own, downloaded if they are missing.

    Raises CsatError unless they are the pinned ones: they may have been there for long.
    """
    bundle = dataproc_bundle()
    fetch(jars_dir, bundles=(bundle,))
    _check(jars_dir / bundle.folder, bundle)
    return _jars(jars_dir / bundle.folder)


def fetch(
    jars_dir: Path,
    on_progress: Callable[[str], None] = lambda line: None,
    bundles: Iterable[Bundle] | None = None,
) -> None:
    """Download what is missing; a folder is complete or absent. Raises CsatError."""
    wanted = bundles or (kafka_bundle(), spark_bundle())
    missing = [bundle for bundle in wanted if not (jars_dir / bundle.folder).exists()]
    for bundle in missing:
        on_progress(f"downloading the jars of {bundle.folder}")
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda bundle: _fetch(bundle, jars_dir), missing))


def pin(bundles: Iterable[Bundle]) -> None:
    """Download the bundles again and record the sums of their jars. Raises CsatError."""
    found: dict[str, str] = {}
    folders = set()
    for bundle in bundles:
        with TemporaryDirectory() as folder:
            _fill(Path(folder) / "jars", bundle)
            found |= jar_sums.sums(Path(folder) / "jars", bundle.folder)
        folders.add(bundle.folder)
    jar_sums.write(found, folders)


def _fetch(bundle: Bundle, jars_dir: Path) -> None:
    jar_sums.require(bundle.folder, jar_sums.pinned(), bundle.pinned_by)  # before minutes of downloading
    jars_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{bundle.folder}-", dir=jars_dir) as folder:
        draft = Path(folder) / "jars"
        _fill(draft, bundle)
        _check(draft, bundle)
        _rename(draft, jars_dir / bundle.folder)


def _check(folder: Path, bundle: Bundle) -> None:
    jar_sums.check(jar_sums.sums(folder, bundle.folder), bundle.folder, jar_sums.pinned(), bundle.pinned_by)


def _fill(draft: Path, bundle: Bundle) -> None:
    draft.mkdir()
    with ThreadPoolExecutor() as pool:  # Ivy downloads one file after another, and mostly waits
        list(pool.map(lambda module: _resolve(module, draft), bundle.modules))
    for module in bundle.alone:
        _resolve(module, draft, "-notransitive")
    _keep_newest(draft)
    if bundle.is_beside_pyspark:
        _remove_known(draft)


def _rename(draft: Path, folder: Path) -> None:
    try:
        draft.rename(folder)
    except OSError:
        if not folder.exists():  # else another download was first
            raise


def _jars(folder: Path) -> list[Path]:
    jars = sorted(folder.glob("*.jar"))
    if not jars:
        raise CsatError(f"no jars in {folder}", "make setup")
    return jars


def _pyspark_jars() -> Path:
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise CsatError("pyspark is not installed here", "make setup")
    return Path(spec.origin).parent / "jars"


def _resolve(module: tuple[str, str, str], folder: Path, *arguments: str) -> None:
    classpath = f"{_pyspark_jars()}/*"
    # Ivy's name for a module with its run-time dependencies: "runtime" alone leaves out the module itself
    options = ["-confs", "default", "-retrieve", f"{folder}/{_PATTERN}"]
    # A cache for each module: Ivy does not lock a cache against another Ivy
    options += ["-novalidate", "-cache", str(Path.home() / ".ivy2" / "csat" / module[1])]
    java = [str(find_java()), "-XX:TieredStopAtLevel=1", "-cp", classpath]  # too short for the second compiler
    command = [*java, "org.apache.ivy.Main", "-dependency", *module, *options, *arguments]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_FETCH_SECONDS, check=False
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise CsatError(
            f"Ivy could not download {':'.join(module)}", f"let it reach a Maven repository; its output:\n{tail}"
        )


def _remove_known(folder: Path) -> None:
    known = {_artifact(jar) for jar in _pyspark_jars().glob("*.jar")}
    for jar in folder.glob("*.jar"):
        if _artifact(jar) in known:
            jar.unlink()


def _keep_newest(folder: Path) -> None:
    """Delete the older version of an artifact that two modules depend on: a class path cannot have both."""
    newest: dict[str, Path] = {}
    for jar in sorted(folder.glob("*.jar"), key=_revision):
        older = newest.get(_artifact(jar))
        if older is not None:
            older.unlink()
        newest[_artifact(jar)] = jar


def _revision(jar: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", jar.stem.removeprefix(_artifact(jar)))]


def _artifact(jar: Path) -> str:
    return re.sub(r"-\d+(\.\d+)+.*$", "", jar.stem)


def main() -> None:
    """Download the jars, with progress on stderr; `--pin` records their sums instead."""
    parser = argparse.ArgumentParser(prog="python -m csat.local.jars", description=__doc__)
    bundles = {"kafka": kafka_bundle, "spark": spark_bundle, "dataproc": dataproc_bundle}
    parser.add_argument("--pin", nargs="+", choices=bundles, help="download these and write their sums to jars.sha256")
    try:
        if names := parser.parse_args().pin:
            pin(bundles[name]() for name in names)
        else:
            fetch(get_settings().jars_dir, lambda line: print(line, file=sys.stderr))
    except CsatError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
