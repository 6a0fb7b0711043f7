"""Search for a name as a person types it: without accents, in any order of words, with any spaces."""

import unicodedata

from csat.contract.names import canonical_name

# Letters that Unicode does not take for a letter with an accent
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})


def is_match(text: str, *names: str) -> bool:
    """Whether each word of the text is in the names, or names from some word on begin with it, without any spaces."""
    words, searched = plain(text).split(), plain(" ".join(names))
    if all(word in searched for word in words):
        return True
    parts, typed = searched.split(), "".join(words)
    return any("".join(parts[place:]).startswith(typed) for place in range(len(parts)))


def plain(text: str) -> str:
    """A text as searches and orders compare it: in lower case, in one Unicode form, without accents."""
    parts = unicodedata.normalize("NFKD", canonical_name(text).casefold())
    return "".join(part for part in parts if not unicodedata.combining(part)).translate(_PLAIN)
