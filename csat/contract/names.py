"""The canonical form of a name, by which people group: an agent's, a category's, a city's.

The stream refuses a blank name and stores the others as sent; dbt's macro `canonical_name` and the import of a CSV file
bring them into this form. A test compares the macro with this module, character by character.
"""

import re
import unicodedata

# What stands between two words: Unicode's white space, and control characters
_SPACE = "\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# What nobody sees and changes no letter: zero-width spaces, direction marks and controls, soft hyphens
_INVISIBLE = "\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
# What is seen only beside another character: joiners, fillers, the two presentations of an emoji
_ATTACHED = "\u034f\u115f\u1160\u200c\u200d\u2800\u3164\ufe0e\ufe0f\uffa0"

# What the stream accepts as a name that must be there, in RE2 and in Rust's syntax: a character that is seen.
VISIBLE_PATTERN = f"[^{_SPACE}{_INVISIBLE}{_ATTACHED}]"

_SPACES = re.compile(f"[{_SPACE}]+")
_INVISIBLES = re.compile(f"[{_INVISIBLE}]+")


def canonical_name(text: str) -> str:
    """The name in composed characters (NFC), with one space between words and nothing invisible; empty for a blank."""
    words = _SPACES.sub(" ", _INVISIBLES.sub("", text))
    return unicodedata.normalize("NFC", words.strip(f" {_ATTACHED}"))
