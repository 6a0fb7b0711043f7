"""A name has one form, in which people find it again."""

import re
import sys
import unicodedata

import pytest

from csat.contract.names import VISIBLE_PATTERN, canonical_name

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
    ("Ada\U0001bca0", "Ada"),
    ("A\ufff0d\U000e0080a\U000e0fff", "Ada"),
]

# Unicode's data files, PropList.txt; Python's unicodedata has these properties of no character
OTHER_DEFAULT_IGNORABLE = {
    *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x3164, 0xFFA0, *range(0xFFF0, 0xFFF9)),
    *(0xE0000, *range(0xE0002, 0xE0020), *range(0xE0080, 0xE0100), *range(0xE01F0, 0xE1000)),
}
PREPENDED_CONCATENATION_MARK = [*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD]
ANNOTATIONS, HIEROGLYPH_CONTROLS = range(0xFFF9, 0xFFFC), range(0x13430, 0x13440)
BLANK_BRAILLE = "\u2800"


@pytest.mark.parametrize(("text", "name"), NAMES)
def test_canonical_name(text: str, name: str) -> None:
    assert canonical_name(text) == name
    assert canonical_name(name) == name


def is_default_ignorable(one: str) -> bool:
    """Unicode's property Default_Ignorable_Code_Point, as DerivedCoreProperties.txt derives it."""
    if unicodedata.category(one) == "Cf":
        return ord(one) not in (*PREPENDED_CONCATENATION_MARK, *ANNOTATIONS, *HIEROGLYPH_CONTROLS)
    return ord(one) in OTHER_DEFAULT_IGNORABLE or "VARIATION SELECTOR" in unicodedata.name(one, "")


def test_name_must_have_a_character_that_unicode_does_not_ignore() -> None:
    characters = [chr(code) for code in range(sys.maxunicode + 1)]
    ignored = {one for one in characters if is_default_ignorable(one)}
    spaces = {one for one in characters if unicodedata.category(one) in ("Cc", "Zs", "Zl", "Zp")}
    unseen = set(characters) - set(re.findall(VISIBLE_PATTERN, "".join(characters)))
    wanted = ignored | spaces | {chr(code) for code in ANNOTATIONS} | {BLANK_BRAILLE}
    assert len(ignored) == 4174  # as Unicode counts them
    assert [f"U+{ord(one):04X}" for one in sorted(unseen ^ wanted)] == []
    assert [f"U+{ord(one):04X}" for one in sorted(unseen) if canonical_name(one)] == []
