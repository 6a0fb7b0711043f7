"""The entry point of `csat`. All else is imported within `main`: Ctrl-C may come while a busy machine imports it."""

import sys

_INTERRUPTED = 130  # as a shell counts it: 128 + SIGINT


def run(arguments: list[str] | None = None) -> int:
    """The exit code of a call.

    A CsatError, or an error of Google's clients, is one line on stderr with its fix, and with --json an object on
    stdout too; any other exception is a bug and keeps its traceback.
    """
    try:
        from csat.cli import app, failures

        words = list(sys.argv[1:] if arguments is None else arguments)
        return failures.code_of(lambda: app.app(words), is_json="--json" in words)
    except KeyboardInterrupt:
        return _INTERRUPTED


def main() -> None:
    """The entry point of `csat`."""
    # BigQuery's client imports pandas where it is installed: a third of a second that no command needs
    sys.modules["pandas"] = None  # type: ignore[assignment]  # as the import system documents it
    try:
        from csat.cli import encoding

        encoding.print_everything()
        code = run()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while Python ends, a traceback has no use
    sys.exit(code)


if __name__ == "__main__":
    main()
