"""The Spark session of the stream."""

import os
import shutil
from pathlib import Path
from typing import Any

import pyspark
from pyspark.sql import SparkSession

from csat.contract.settings import Settings, SettingsError
from spark.kafka_login import REDACTION, jvm_properties

APP_NAME = "csat-stream"


def connector_jars(settings: Settings) -> list[Path]:
    """The Kafka connector's jars for this pyspark. Raises SettingsError if they are missing."""
    folder = settings.jars_dir / f"spark-kafka-{pyspark.__version__}"
    jars = sorted(folder.glob("*.jar"))
    if not jars:
        raise SettingsError(f"No Kafka connector in {folder}: run `make setup`, or correct CSAT_JARS_DIR.")
    return jars


def class_archive(settings: Settings) -> Path:
    """The JVM's class data archive that `make setup` creates: with it, a driver starts seconds faster."""
    return settings.jars_dir / f"stream-{pyspark.__version__}.jsa"


def build_session(settings: Settings) -> SparkSession:
    """The session; on Dataproc the batch provides master and connector."""
    builder = SparkSession.builder.appName(APP_NAME)
    options = session_options(settings)
    if not settings.is_on_dataproc:
        folder = own_temporary_folder(settings)
        options |= {"spark.local.dir": str(folder), "spark.driver.defaultJavaOptions": f'"-Djava.io.tmpdir={folder}"'}
    for name, value in options.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    jvm: Any = spark._jvm
    for name, value in jvm_properties(settings).items():  # on Dataproc the JVM is started before the settings are read
        jvm.java.lang.System.setProperty(name, value)
    return spark


def own_temporary_folder(settings: Settings) -> Path:
    """An empty folder for this driver's JVM to unpack and spill into. Deletes the folders of drivers that have ended.

    A killed driver leaves about 200 KB and its blocks behind, and the guard may kill drivers many times a day.
    """
    folders = settings.state / "stream" / "tmp"
    own = folders / str(os.getpid())
    for folder in folders.glob("[0-9]*"):
        if folder == own or not _is_running(int(folder.name)):
            shutil.rmtree(folder, ignore_errors=True)
    own.mkdir(parents=True)
    return own


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def session_options(settings: Settings) -> dict[str, str]:
    """Spark's options: those that the landing table needs everywhere, and those for one machine."""
    options = {
        "spark.sql.session.timeZone": "UTC",
        # Limits a worker's memory even if every message has Kafka's maximum size.
        "spark.sql.execution.arrow.maxBytesPerBatch": str(64 * 1024 * 1024),
        "spark.log.level": "WARN",
        **REDACTION,
    }
    if settings.is_on_dataproc:
        return options | _executor_options(settings)
    archive = class_archive(settings)
    # A heap allocated at start cannot exhaust the machine's memory hours later, and other growth becomes visible
    java_options = [f"-Xms{settings.spark_driver_memory}", "-XX:+AlwaysPreTouch"]
    java_options += [f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []
    return options | {
        "spark.driver.extraJavaOptions": " ".join([*java_options, settings.spark_driver_java_options]).strip(),
        "spark.master": settings.spark_master,
        "spark.driver.memory": settings.spark_driver_memory,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        # Another user of the machine must not speak to the driver, nor read what it sends: Spark makes a secret for
        # each run and keeps it in its memory
        "spark.authenticate": "true",
        "spark.network.crypto.enabled": "true",
        "spark.driver.extraClassPath": os.pathsep.join(str(jar) for jar in connector_jars(settings)),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "2",
        # Batches are seconds apart: polling for new data ten times a second is enough.
        "spark.sql.streaming.pollingDelay": "100ms",
    }


def _executor_options(settings: Settings) -> dict[str, str]:
    properties = [f"-D{name}={value}" for name, value in jvm_properties(settings).items()]
    return {"spark.executor.extraJavaOptions": " ".join(properties)} if properties else {}
