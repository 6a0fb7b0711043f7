"""One emulator to attack, with a file of its owner beside it that nobody may see."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from csat.bigquery.client import Warehouse
from csat.contract.settings import Settings
from tools.bench import emulator as emulators

SECRET = "the owner's secret"


@dataclass(frozen=True)
class Target:
    """A running emulator; `private` is a folder of its owner with the file `secret`, outside of what it serves."""

    settings: Settings
    warehouse: Warehouse
    private: Path

    @property
    def bucket(self) -> Path:
        """The folder of its one bucket."""
        return self.settings.staging_root / "bucket"

    def jobs(self) -> int:
        """How many jobs it ever took."""
        return len(list(self.warehouse.client.list_jobs(all_users=True)))

    def files(self) -> set[str]:
        """The files outside of the database that it or anybody may have written."""
        folders = (self.private, self.settings.staging_root, self.settings.state / "bigquery" / "uploads")
        return {str(path) for folder in folders for path in folder.rglob("*")}


@pytest.fixture(scope="package")
def target() -> Iterator[Target]:
    """An emulator with an empty warehouse, and a bucket in which links lead out.

    Its folder is one that other users may enter, and all of it is made with the umask 0.
    """
    with tempfile.TemporaryDirectory(prefix="csat-target-") as folder:
        Path(folder).chmod(0o755)
        before = os.umask(0)
        try:
            yield from _running(Path(folder), before)
        finally:
            os.umask(before)


def _running(folder: Path, mask: int) -> Iterator[Target]:
    settings = emulators.own_settings(folder / "state")
    private = folder / "private"
    private.mkdir(mode=0o700)
    (private / "secret").write_text(SECRET)
    bucket = settings.staging_root / "bucket"
    bucket.mkdir(parents=True)
    (bucket / "folder").symlink_to(private)
    (bucket / "file.csv").symlink_to(private / "secret")
    with emulators.emulator(settings), emulators.empty_warehouse(settings) as warehouse:
        os.umask(mask)  # that of the tests
        yield Target(settings, warehouse, private)
