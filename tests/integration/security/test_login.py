"""Every address of the emulator wants its token, its own name, and no other origin; the Storage API the token."""

import http.client
import json
import subprocess
from collections.abc import Mapping

import pytest

from csat.bigquery import login as bigquery_login
from csat.contract.settings import ROOT
from csat.local.programs import EMULATOR_PYTHON
from tests.integration.security.conftest import Target

pytestmark = pytest.mark.integration

PROJECT = "/bigquery/v2/projects/csat-local"
UPLOAD = f"/upload{PROJECT}/jobs"
ADDRESSES = [
    ("GET", "/"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("GET", "/discovery/v1/apis/bigquery/v2/rest"),
    ("GET", f"{PROJECT}/datasets"),
    ("OPTIONS", f"{PROJECT}/queries"),
    ("POST", f"{PROJECT}/queries"),
    ("POST", f"{PROJECT}/jobs"),
    ("POST", f"{UPLOAD}?uploadType=multipart"),
    ("POST", f"{UPLOAD}?uploadType=resumable"),
    ("PUT", f"{UPLOAD}?upload_id=1"),
    ("GET", "/token"),
]
READ_ARROW = """
import sys
import grpc
from google.cloud.bigquery_storage_v1 import BigQueryReadClient, types
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport
address, table, authorization = sys.argv[1:]
transport = BigQueryReadGrpcTransport(channel=grpc.insecure_channel(address))
session = types.ReadSession(table=table, data_format=types.DataFormat.ARROW)
options = {"metadata": [("authorization", authorization)] if authorization else [], "timeout": 20, "retry": None}
client = BigQueryReadClient(transport=transport)
try:
    session = client.create_read_session(parent="projects/csat-local", read_session=session, **options)
    print(client.read_rows(session.streams[0].name, **options).to_arrow(session).to_pylist())
except Exception as error:
    print(type(error).__name__)
"""


CALL_ALL = """
import sys
import grpc
from local_bigquery.grpc.server import SERVICES
channel = grpc.insecure_channel(sys.argv[1])
for service, methods in SERVICES.items():
    for name, handler in methods.items():
        asks, answers = handler.request_streaming, handler.response_streaming
        kinds = ["stream" if streams else "unary" for streams in (asks, answers)]
        call = getattr(channel, "_".join(kinds))(f"/{service}/{name}")
        try:
            answer = call(iter([b""]) if handler.request_streaming else b"", timeout=20)
            print(name, list(answer) if handler.response_streaming else answer)
        except grpc.RpcError as error:
            print(name, error.code().name)
"""


def ask(target: Target, method: str, path: str, headers: Mapping[str, str], body: bytes = b"{}") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", target.settings.bigquery_port, timeout=20)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def own(target: Target, **more: str) -> dict[str, str]:
    return {**bigquery_login.headers(target.settings), **more}


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_every_address_wants_the_token(target: Target, method: str, path: str) -> None:
    token = bigquery_login.token(target.settings)
    wrong = [
        {},
        *({"Authorization": text} for text in ("Bearer", "Bearer ", f"Bearer {token[:-1]}", token, f"Basic {token}")),
    ]
    assert [ask(target, method, path, headers)[0] for headers in wrong] == [401] * len(wrong)
    body = ask(target, method, path, {})[1]
    assert "bigquery_token" in json.loads(body)["error"]["message"]
    assert token not in body


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_no_address_responds_to_another_name_or_page(target: Target, method: str, path: str) -> None:
    port = target.settings.bigquery_port
    strangers = [
        {"Host": "attacker.test"},
        {"Host": f"attacker.test:{port}"},
        {"Host": f"127.0.0.1.attacker.test:{port}"},
        {"Host": ""},
        {"Origin": "http://attacker.test"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ]
    answers = [ask(target, method, path, own(target, **headers))[0] for headers in strangers]
    assert answers == [403] * len(strangers)


def test_a_client_with_the_token_gets_a_response(target: Target) -> None:
    port = target.settings.bigquery_port
    for name in ("127.0.0.1", "localhost", "LOCALHOST"):
        headers = own(target, Host=f"{name}:{port}", **{"Sec-Fetch-Site": "none"})
        assert ask(target, "GET", f"{PROJECT}/datasets", headers)[0] == 200


def test_only_the_key_is_exchanged_for_the_token(target: Target) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    unsigned = b"assertion=e30.eyJleHAiOjk5OTk5OTk5OTl9."
    for body in (b"", b"assertion=", unsigned, unsigned + b"AAAA", b"a" * 20_000):
        status, text = ask(target, "POST", "/token", form, body)
        assert status == 400
        assert bigquery_login.token(target.settings) not in text
    assert ask(target, "POST", "/token", form | {"Origin": "http://attacker.test"})[0] == 403


def test_the_storage_api_reads_arrow_for_the_token_only(target: Target) -> None:
    target.warehouse.rows("create or replace table csat_scratch.arrow as select 7 as a")
    table = "projects/csat-local/datasets/csat_scratch/tables/arrow"
    token = bigquery_login.token(target.settings)
    said = {text: _read_arrow(target, table, text) for text in (f"Bearer {token}", "", "Bearer x", token)}
    assert list(said.values()) == ["[{'a': 7}]", *["Unauthenticated"] * 3]


def test_every_method_of_the_storage_api_wants_the_token(target: Target) -> None:
    said = _run(CALL_ALL, f"127.0.0.1:{target.settings.bigquery_grpc_port}").splitlines()
    assert {line.partition(" ")[2] for line in said} == {"UNAUTHENTICATED"}
    assert {"ReadRows UNAUTHENTICATED", "AppendRows UNAUTHENTICATED"} <= set(said)


def _read_arrow(target: Target, table: str, authorization: str) -> str:
    address = f"127.0.0.1:{target.settings.bigquery_grpc_port}"
    return _run(READ_ARROW, address, table, authorization)


def _run(code: str, *arguments: str) -> str:
    """What the code says in the emulator's environment, which has the Storage API's client."""
    command = [str(EMULATOR_PYTHON), "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.strip()
