import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from csat.settings import Settings
from local import doctor
from local.java import JavaError, find_java


def test_find_java_names_the_fix_when_path_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(JavaError, match="no java in PATH, fix: install Java 17 or newer"):
        find_java()


def test_find_java_refuses_java_8(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(JavaError, match="is Java 8, fix: install Java 17 or newer"):
        find_java()


def test_port_check_names_the_setting_and_the_holder_of_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        check = doctor.port_check("kafka_port", port, tmp_path)
    assert not check.is_ok
    assert check.detail.startswith(f"CSAT_KAFKA_PORT={port} is taken by ")
    assert f"(process {os.getpid()})" in check.detail
    assert check.fix == "end it, or set CSAT_KAFKA_PORT to a free port"


def test_port_check_finds_a_port_free_when_its_holder_ends_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def look_too_late(port: int) -> None:
            server.close()

        monkeypatch.setattr(doctor.processes, "holder", look_too_late)
        check = doctor.port_check("kafka_port", port, tmp_path)
    assert (check.is_ok, check.detail) == (True, f"CSAT_KAFKA_PORT={port} is free")


def test_require_names_the_jars_that_are_missing(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    with pytest.raises(doctor.DoctorError, match=r"no jars in .*kafka-4\.3\.1, fix: run python -m local\.jars"):
        doctor.require(make_settings(jars_dir=tmp_path / "none"))
