"""How a command ends that fails: one line on stderr, with --json an object on stdout too, and its exit code."""

import json
from collections.abc import Callable

from csat.cli.output import say
from csat.contract.errors import CsatError
from csat.contract.google_errors import google_error

_USAGE_CODE = 2


def code_of(command: Callable[[], None], is_json: bool) -> int:
    """The exit code of a call of the command line; raises what is a bug."""
    try:
        command()
    except SystemExit as end:
        code = int(end.code or 0)
        if is_json and code == _USAGE_CODE:
            _print_usage_error(end.__context__)
        return code
    except CsatError as error:
        return _failed(error, is_json)
    except Exception as error:
        if (named := google_error(error)) is None:
            raise
        return _failed(named, is_json)
    return 0


def _failed(error: CsatError, is_json: bool) -> int:
    say(f"error: {error}")
    if is_json:
        _print(error.message, error.fix)
    return 1


def _print_usage_error(error: BaseException | None) -> None:
    """Print what typer has refused; it has written its own lines to stderr."""
    text = getattr(error, "format_message", lambda: "wrong arguments")()
    context = getattr(error, "ctx", None)
    _print(text, f"{context.command_path} --help" if context else "csat --help")


def _print(message: str, fix: str) -> None:
    print(json.dumps({"message": message, "fix": fix}, indent=2))
