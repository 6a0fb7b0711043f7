"""One bring-up of all containers' commands, in the order that the compose file gives."""

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from csat.settings import ROOT, Settings
from local.jars import kafka_jars
from local.java import find_java
from tests.integration.conftest import wait_for
from tests.integration.containers.native import Containers


@pytest.fixture(scope="package")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """All containers of the default profile, running."""
    running = Containers(tmp_path_factory.mktemp("containers"))
    with tempfile.TemporaryDirectory(prefix="csat-postgres-") as data:
        try:
            _start_postgres(running, Path(data))
            running.start("airflow-init")
            _start_kafka(running)
            _install_extensions(running)
            running.start("bigquery-emulator")
            wait_for(lambda: running.is_well("bigquery-emulator"), 60, "emulator")
            running.start("prepare")
            running.wait("prepare")
            for name in ("spark", "producer", "dashboard"):
                running.start(name)
            running.wait("airflow-init")
            running.start("api-server")
            wait_for(lambda: running.is_well("api-server"), 90, "API server", pause=1)
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
    logging = f"-Dlog4j2.configurationFile={ROOT / 'local' / 'kafka_log4j2.properties'}"
    options = [word for folder in folders for word in (f"--{folder.name}-configs-dir", str(folder))]
    setup = [*java, logging, "kafka.docker.KafkaDockerWrapper", "setup", *options]
    subprocess.run(setup, env=running.variables("kafka"), timeout=60, check=True)
    running.start_process("kafka", [*java, logging, "kafka.Kafka", str(folders[2] / "server.properties")])


def _install_extensions(running: Containers) -> None:
    """The last line of the emulator's image."""
    code = "from local.bigquery_emulator import install_extensions; install_extensions()"
    variables = running.variables("bigquery-emulator")
    python = str(shutil.which("python", path=variables["PATH"]))
    subprocess.run([python, "-c", code], cwd=ROOT, env=variables, timeout=60, check=True)


def _start_postgres(running: Containers, data: Path) -> None:
    """What the image's entry point does, of the machine's own PostgreSQL, which never runs as root."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    assert found, "PostgreSQL is missing: apt-get install postgresql"
    tools, variables = found[-1].parent, running.services["postgres"]["environment"]
    user = pwd.getpwnam("postgres" if os.getuid() == 0 else getpass.getuser())
    password = data / "password"
    password.write_text(running.secret("postgres"))
    for path in (data, password):
        os.chown(path, user.pw_uid, user.pw_gid)
    who = {"user": user.pw_uid, "group": user.pw_gid, "cwd": data, "env": {"PATH": f"{tools}:/usr/bin:/bin"}}
    login = ["--username", variables["POSTGRES_USER"], "--pwfile", str(password), "--auth", "scram-sha-256"]
    initdb = ["initdb", "-D", str(data / "pgdata"), "--no-sync", *login]
    subprocess.run([str(tools / "initdb"), *initdb[1:]], **who, capture_output=True, timeout=60, check=True)
    places = ["-D", str(data / "pgdata"), "-k", str(data), "-p", str(running.ports[5432])]
    running.start_process("postgres", ["postgres", *places, "-c", "listen_addresses=127.0.0.1"], **who)
    ready = [str(tools / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(running.ports[5432])]
    wait_for(lambda: subprocess.run(ready, check=False).returncode == 0, 30, "PostgreSQL")
    create = ["createdb", "-h", "127.0.0.1", "-p", str(running.ports[5432]), "-U", variables["POSTGRES_USER"]]
    who["env"] = {**who["env"], "PGPASSWORD": running.secret("postgres")}
    subprocess.run([str(tools / "createdb"), *create[1:], variables["POSTGRES_DB"]], **who, timeout=30, check=True)
