from pathlib import Path

import pytest

from csat.control.driver_token import DriverTokenError, read_token


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "driver_token"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(DriverTokenError, match=r"driver_token is not a token's file"):
        read_token(path)
