"""Another user of the machine, a real one: no file, no query, and no word with the Spark driver."""

import struct
from typing import Any

import psutil
import pytest
from pyspark.java_gateway import launch_gateway

from csat.bigquery import login as bigquery_login
from csat.control.state_files import StateFiles
from csat.control.verdict import State
from tests.integration.conftest import Driver, World, wait_for
from tests.integration.security import other_user
from tests.integration.security.conftest import Target

pytestmark = pytest.mark.integration

FILES = """
import os
found = {"who": os.getuid(), "read": [], "written": []}
for path in paths:
    try:
        found["read"].append([path, os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(9).hex()])
    except OSError:
        pass
for folder in folders:
    try:
        open(folder + "/written", "w").close()
        found["written"].append(folder)
    except OSError:
        pass
"""
QUERIES = """
import http.client
found = []
for method, path in requests:
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer none"}):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request(method, path, "{}", headers)
        found.append(connection.getresponse().status)
"""
# Spark's own framing: length, type (3 is a request), request's id, length of the body. A reply has its type there too
SPEAK = """
import socket, struct
found = {}
for port, message in messages.items():
    body = bytes.fromhex(message)
    frame = struct.pack(">qbqi", 21 + len(body), 3, 7, len(body)) + body
    with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as connection:
        connection.settimeout(5)
        try:
            connection.sendall(frame)
            answer = connection.recv(65536)
        except OSError:
            answer = b""
    found[port] = answer[8] if len(answer) > 8 else -1
"""
ANSWERED, REFUSED = 4, 5  # RpcResponse, RpcFailure


def test_reads_and_writes_no_file_of_the_stack(target: Target) -> None:
    state = target.settings.state
    paths = [state, *state.rglob("*")]
    assert bigquery_login.token_file(target.settings) in paths
    folders = [path for path in paths if path.is_dir()]
    found = other_user.run(FILES, paths=paths, folders=folders)
    assert found == {"who": 65534, "read": [], "written": []}
    assert state.parent.stat().st_mode & 0o005 == 0o005  # it is the state folder that keeps others out


def test_the_secrets_are_their_owners_whatever_the_umask(target: Target) -> None:
    """The fixture started all of it with the umask 0."""
    secrets = target.settings.state / "secrets"
    assert secrets.stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in secrets.iterdir()}
    assert modes == {"bigquery_token": 0o600, "bigquery_key.json": 0o600}


def test_sees_no_secret_of_the_emulator_in_its_process(target: Target) -> None:
    token = bigquery_login.token(target.settings)
    [emulator] = [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(target.settings.bigquery_port) in (process.info["cmdline"] or [])
    ]
    assert token not in " ".join(emulator.cmdline())
    assert token not in " ".join(emulator.environ().values())
    assert other_user.run(FILES, paths=[f"/proc/{emulator.pid}/environ"], folders=[])["read"] == []


def test_runs_no_query(target: Target) -> None:
    project = "/bigquery/v2/projects/csat-local"
    requests = [("GET", f"{project}/datasets"), ("POST", f"{project}/queries"), ("POST", f"/upload{project}/jobs")]
    found = other_user.run(QUERIES, port=target.settings.bigquery_port, requests=requests)
    assert found == [401] * 9


@pytest.fixture
def driver(world: World) -> Driver:
    """A driver that runs."""
    one = world.start_driver()
    state_files = StateFiles(world.settings.state_files)

    def runs() -> bool:
        heartbeat = state_files.heartbeat()
        return heartbeat is not None and heartbeat.state is State.RUNNING

    wait_for(runs, 120, "running driver")
    return one


def test_has_no_word_with_the_spark_driver(driver: Driver) -> None:
    question = _question()
    messages = {port: (_head(port) + question).hex() for port in _ports(driver)}
    found = other_user.run(SPEAK, messages=messages)
    assert ANSWERED not in found.values()
    assert REFUSED in found.values()  # the driver's RPC was among them, and understood


def _ports(driver: Driver) -> list[int]:
    """Where the driver and its JVM listen."""
    family = {driver.process.pid, *(child.pid for child in psutil.Process(driver.process.pid).children(recursive=True))}
    connections = psutil.net_connections("tcp")
    listening = [one for one in connections if one.status == "LISTEN" and one.pid in family]
    assert {one.laddr.ip.removeprefix("::ffff:") for one in listening} == {"127.0.0.1"}
    return sorted({one.laddr.port for one in listening})


def _head(port: int) -> bytes:
    """From no address, to an endpoint of the driver."""
    to, name = b"127.0.0.1", b"endpoint-verifier"
    return struct.pack(f">??H{len(to)}siH{len(name)}s", False, True, len(to), to, port, len(name), name)


def _question() -> bytes:
    """What a Spark asks another first, whether it has an endpoint of this name: the driver deserializes it."""
    gateway = launch_gateway()
    try:
        jvm: Any = gateway.jvm
        buffer = jvm.java.io.ByteArrayOutputStream()
        stream = jvm.java.io.ObjectOutputStream(buffer)
        check = getattr(jvm.org.apache.spark.rpc.netty, "RpcEndpointVerifier$CheckExistence")
        stream.writeObject(check("HeartbeatReceiver"))
        stream.flush()
        return bytes(buffer.toByteArray())
    finally:
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(30)
