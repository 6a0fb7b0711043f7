"""A name has one form, in which people find it again."""

import pytest

from csat.contract.names import canonical_name

NAMES = [
    ("Returns", "Returns"),
    ("Returns ", "Returns"),
    ("Returns\u00a0", "Returns"),
    ("\u3000 Order \t\u2003 Related\r\n", "Order Related"),
    ("Zoe\u0308 Ames", "Zoë Ames"),
    ("Zoe\u200b\u0308", "Zoë"),  # composed once nothing stands between
    ("\u2066Ali\u2069 \u200fKhan\u202c", "Ali Khan"),
    ("Re\u00adfund\u200b", "Refund"),
    ("\x1b[31mred\x07", "[31mred"),
    ("a\x00b", "a b"),
    ("علی\u200cرضا\u200d", "علی\u200cرضا"),
    ("👩\u200d🚀", "👩\u200d🚀"),
    ("returns", "returns"),  # another letter case is another name: a warning lists both
    ("ﬁne", "ﬁne"),  # a compatibility character stays, as NFC has it
    ("", ""),
    (" \u200b\u200d\u3164\x00", ""),
    *((invisible, "") for invisible in "\ufe00\U000e0101\U000e0020\ufff9\u180b\U0001d173\u17b4"),
    ("❤\ufe0f shop", "❤\ufe0f shop"),
    ("Ada\ufe00", "Ada"),
]


@pytest.mark.parametrize(("text", "name"), NAMES)
def test_canonical_name(text: str, name: str) -> None:
    assert canonical_name(text) == name
    assert canonical_name(name) == name
