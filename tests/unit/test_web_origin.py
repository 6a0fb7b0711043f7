"""A request is for the server's own page by its Host and its Origin."""

import pytest

from csat.contract.web_origin import refusal

HOSTS = {"127.0.0.1", "localhost"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:9050"},
        {"host": "LOCALHOST:9050"},
        {"Host": "127.0.0.1:9050", "Origin": "http://127.0.0.1:9050"},
        {"Host": "localhost", "origin": "https://localhost"},
    ],
)
def test_own_pages_and_programs_may_go_on(headers: dict[str, str]) -> None:
    assert refusal(raw(headers), HOSTS) == ""


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "not called"),
        ({"Host": ""}, "not called"),
        ({"Host": "attacker.test"}, "not called 'attacker.test'"),
        ({"Host": "attacker.test:9050"}, "not called"),
        ({"Host": "127.0.0.1.attacker.test"}, "not called"),
        ({"Host": "127.0.0.1@attacker.test"}, "not called"),
        ({"Host": "[::1]:9050"}, "not called"),
        ({"Host": "127.0.0.1", "Origin": "http://attacker.test"}, "another origin"),
        ({"Host": "127.0.0.1:9050", "Origin": "http://127.0.0.1"}, "another origin"),
        ({"Host": "127.0.0.1:9050", "Origin": "http://127.0.0.1:1"}, "another origin"),
        ({"Host": "127.0.0.1", "Origin": "null"}, "another origin"),
        ({"Host": "127.0.0.1", "Origin": ""}, "another origin"),
    ],
)
def test_other_names_and_other_origins_are_refused(headers: dict[str, str], reason: str) -> None:
    assert reason in refusal(raw(headers), HOSTS)


def test_two_names_are_refused() -> None:
    assert refusal([(b"host", b"127.0.0.1"), (b"host", b"attacker.test")], HOSTS)


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]
