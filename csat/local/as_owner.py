"""Runs a command as the owner of a folder, in that folder: `python -m csat.local.as_owner <folder> <command> …`.

For root, and for a program that refuses to run as root. The command has no other group, no privilege of root, and only
PATH and the stack's mark of the environment: the rest holds secrets that its user does not need.
"""

import os
import sys

from csat.contract.settings import environment
from csat.local.processes import MARK


def main() -> None:
    """Become the owner, and then the command."""
    folder, *command = sys.argv[1:]
    owner = os.stat(folder)  # noqa: PTH116  # the calls below are of os too
    if owner.st_uid == 0:
        sys.exit(f"error: {folder} belongs to root, which must not run this, fix: csat up gives it to another user")
    os.chdir(folder)  # before the user changes: the folders above may be closed to the owner
    os.setgroups([])
    os.setresgid(owner.st_gid, owner.st_gid, owner.st_gid)
    os.setresuid(owner.st_uid, owner.st_uid, owner.st_uid)
    variables = {name: value for name, value in environment().items() if name in ("PATH", MARK)}
    os.execve(command[0], command, variables)  # noqa: S606  # a shell would swallow the signals


if __name__ == "__main__":
    main()
