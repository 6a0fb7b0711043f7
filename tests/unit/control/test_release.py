from pathlib import Path

import pytest

from csat.contract.errors import CsatError
from csat.control.release import Release


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe"])
def test_a_broken_release_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "stream" / "v1" / "release.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(CsatError, match=r"release\.json is not a valid release: make cloud-deploy"):
        Release.read(tmp_path.as_uri(), "v1")
