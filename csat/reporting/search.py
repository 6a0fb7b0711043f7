"""Search for a name as a person types it: without accents, in any order of words, with any spaces."""

import unicodedata

from csat.contract.names import canonical_name

# Letters that Unicode does not take for a letter with an accent
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})


def is_match(text: str, *names: str) -> bool:
    """Whether each word of the text is in the names, or the whole of it is once spaces are left out."""
    words, searched = _plain(text).split(), _plain(" ".join(names))
    return all(word in searched for word in words) or "".join(words) in searched.replace(" ", "")


def _plain(text: str) -> str:
    parts = unicodedata.normalize("NFKD", canonical_name(text).casefold())
    return "".join(part for part in parts if not unicodedata.combining(part)).translate(_PLAIN)
