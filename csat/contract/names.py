"""The canonical form of a name, by which people group: an agent's, a category's, a city's.

The stream refuses a blank name and stores the others as sent; dbt's macro `canonical_name` and the import of a CSV file
bring them into this form. A test compares the macro with this module, character by character.
"""

import re
import unicodedata

# What stands between two words: Unicode's white space, and control characters
_SPACE = "\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# These two hold all of Unicode's property Default_Ignorable_Code_Point, so also code points that are reserved for it
# What nobody sees and changes no letter: zero-width spaces, direction marks and controls, soft hyphens, annotations
_INVISIBLE = (
    "\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb\U0001d173-\U0001d17a"
    "\U000e0000-\U000e001f\U000e0080-\U000e00ff\U000e01f0-\U000e0fff"
)
# What is seen only beside another character: joiners, fillers, variation selectors, shorthand, the tags of a flag
_ATTACHED = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u200c\u200d\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U0001bca0-\U0001bca3\U000e0020-\U000e007f\U000e0100-\U000e01ef"
)

# What the stream accepts as a name that must be there, in RE2 and in Rust's syntax: a character that is seen.
VISIBLE_PATTERN = f"[^{_SPACE}{_INVISIBLE}{_ATTACHED}]"

_SPACES = re.compile(f"[{_SPACE}]+")
_INVISIBLES = re.compile(f"[{_INVISIBLE}]+")
_ENDS = re.compile(rf"\A[ {_ATTACHED}]+|[ {_ATTACHED}]+\Z")


def canonical_name(text: str) -> str:
    """The name in composed characters (NFC), with one space between words and nothing invisible; empty for a blank."""
    words = _SPACES.sub(" ", _INVISIBLES.sub("", text))
    return unicodedata.normalize("NFC", _ENDS.sub("", words))
