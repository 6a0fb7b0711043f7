"""The broker and the emulator, for tests in another environment: `python -m tests.services` until its input ends."""

import sys

from csat.contract.settings import Settings

READY = "ready"


def main() -> None:
    """Start what the variables say; the first line of standard output is READY."""
    from csat.local import stack  # not in Airflow's environment, which imports READY

    with stack.running(Settings(), lambda line: print(line, file=sys.stderr), has_airflow=False, has_dashboard=False):
        print(READY, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
