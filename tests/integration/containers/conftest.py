"""One bring-up of all containers' commands, in the order that the compose file gives."""

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from csat.contract.settings import ROOT, Settings
from csat.local import postgres
from csat.local.jars import kafka_jars
from csat.local.java import find_java
from tests.integration.conftest import wait_for
from tests.integration.containers.native import Containers


@pytest.fixture(scope="package")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """All containers of the default profile, running."""
    running = Containers(tmp_path_factory.mktemp("containers"))
    try:
        running.start("secrets")
        running.wait("secrets")
        _start_postgres(running)
        running.start("airflow-init")
        _start_kafka(running)
        _install_extensions(running)
        running.start("bigquery-emulator")
        wait_for(lambda: running.is_healthy("bigquery-emulator"), 60, "emulator")
        running.start("prepare")
        running.wait("prepare")
        for name in ("spark", "producer", "dashboard"):
            running.start(name)
        running.wait("airflow-init")
        running.start("api-server")
        wait_for(lambda: running.is_healthy("api-server"), 90, "API server", pause=1)
        for name in ("scheduler", "dag-processor", "triggerer"):
            running.start(name)
        yield running
    finally:
        running.end()


def _start_kafka(running: Containers) -> None:
    """What the image does: its own wrapper, of the same jars, makes server.properties and formats the storage."""
    folders = [running.folder / name for name in ("default", "mounted", "final")]
    for folder in folders:
        folder.mkdir()
    for name in ("server.properties", "log4j2.yaml", "tools-log4j2.yaml"):
        (folders[0] / name).touch()
    (running.folder / "kafka" / "data").mkdir(parents=True)
    jars = kafka_jars(Settings(_env_file=None).jars_dir)[0].parent
    java = [str(find_java()), "-cp", f"{jars}/*", "-Xmx512m"]
    logging = f"-Dlog4j2.configurationFile={ROOT / 'csat' / 'local' / 'kafka_log4j2.properties'}"
    options = [word for folder in folders for word in (f"--{folder.name}-configs-dir", str(folder))]
    setup = [*java, logging, "kafka.docker.KafkaDockerWrapper", "setup", *options]
    subprocess.run(setup, env=running.variables("kafka"), timeout=60, check=True)
    running.start_process("kafka", [*java, logging, "kafka.Kafka", str(folders[2] / "server.properties")])


def _install_extensions(running: Containers) -> None:
    """The last line of the emulator's image."""
    code = "from csat.local.emulator.serve import install_extensions; install_extensions()"
    variables = running.variables("bigquery-emulator")
    python = str(shutil.which("python", path=variables["PATH"]))
    subprocess.run([python, "-c", code], cwd=ROOT, env=variables, timeout=60, check=True)


def _start_postgres(running: Containers) -> None:
    """What the image's entry point does, by the server of the one-machine stack."""
    variables = running.services["postgres"]["environment"]
    assert (variables["POSTGRES_USER"], variables["POSTGRES_DB"]) == (postgres.NAME, postgres.NAME)
    data, port = running.folder / "postgres" / "data", running.ports[5432]
    postgres.prepare(data, running.secret("postgres"))
    running.start_process("postgres", postgres.command(data, port, running.folder), env={"PATH": os.defpath})
    wait_for(lambda: postgres.is_ready(port), 30, "PostgreSQL")
