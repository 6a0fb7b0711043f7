"""Text that is safe to print on a terminal."""

import re

# Control characters but for the line break and the tab (ESC begins what a terminal obeys), direction controls, further
# line ends, and what UTF-8 cannot encode
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """The text with what a terminal would obey shown as an escape, such as \\x1b."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
