"""Output for terminals that cannot show every character: it is replaced, and no command fails of it."""

import codecs
import sys
from io import TextIOWrapper

_NAME = "csat-readable"
# The signs that the tables and help texts use
_PLAIN = str.maketrans({"–": "-", "—": "-", "−": "-", "…": "...", "→": "->", "’": "'", "\u202f": " "})


def print_everything() -> None:
    """Let stdout and stderr replace what their encoding lacks: a sign by a similar one, a letter by its escape."""
    codecs.register_error(_NAME, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=_NAME)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return text.encode("ascii", "backslashreplace").decode("ascii"), error.end
