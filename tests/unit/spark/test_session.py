"""The folder of a driver's temporary files: those of dead drivers are deleted, those of live ones are not."""

import os
import subprocess
import sys
from pathlib import Path

from csat.contract.settings import Settings
from spark.session import own_temporary_folder


def test_only_folders_of_dead_drivers_are_deleted(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(30)
    folders = tmp_path / "stream" / "tmp"
    for process_id in (gone.pid, os.getpid(), os.getppid()):
        (folders / str(process_id)).mkdir(parents=True)
        (folders / str(process_id) / "left").touch()
    own = own_temporary_folder(Settings(state_dir=tmp_path, _env_file=None))
    assert own == folders / str(os.getpid())
    assert sorted(path.relative_to(folders) for path in folders.rglob("*")) == sorted(
        Path(name) for name in (str(os.getpid()), str(os.getppid()), f"{os.getppid()}/left")
    )
