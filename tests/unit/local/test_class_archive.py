"""The class archive makes the stream start faster: set-up succeeds without it."""

import subprocess

import pytest

from csat.contract.errors import CsatError
from csat.local import class_archive


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (subprocess.TimeoutExpired(["python"], 420), "timed out after 420 seconds"),
        (subprocess.CalledProcessError(1, ["python"]), "returned non-zero exit status 1"),
        (CsatError("port 9092 is in use.", "stop the other program"), "port 9092 is in use"),
    ],
)
def test_set_up_succeeds_where_the_classes_cannot_be_recorded(failure, reason, monkeypatch, capsys):
    def fail(*arguments):
        raise failure

    monkeypatch.setattr(class_archive, "make", fail)
    class_archive.main()
    assert "no class archive" in (output := capsys.readouterr().err)
    assert reason in output
