"""The fields of a file's row as an event has them: each reader takes a text and returns a value or says the fault."""

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache
from typing import Literal
from uuid import UUID, uuid5

from csat.contract.event import UUID_PATTERN
from csat.contract.names import canonical_name
from producer.csv_problems import FieldError

DecimalMark = Literal[".", ","]

# Never change it: the same row must have the same ids in every version.
_NAMESPACE = UUID("b0e0f8f6-6f0a-5d0e-9a58-1f2a4d7c9e36")
_AGENT_DIGITS = 12
_GAPS = {"", "nan", "null"}
_MORE_GAPS = _GAPS | {"none", "nat", "n/a", "na", "#n/a", "<na>", r"\n"}  # a customer may write "none"
_UUID = re.compile(UUID_PATTERN, re.ASCII)
_SCORE = re.compile(r"\+?([1-5])(?:[.,]0*)?", re.ASCII)
_GROUP_SPACE = re.compile(r"(?<=[0-9])\s(?=[0-9]{3}(?![0-9]))")
_PRICES: dict[DecimalMark, re.Pattern[str]] = {
    ".": re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d*)?", re.ASCII),
    ",": re.compile(r"(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d*)?", re.ASCII),
}
_CENT = Decimal("0.01")
_PRICE_LIMIT = Decimal(10) ** 10
_PRICE_FIX = "write it like 1299.00, or leave it blank"


def score(text: str) -> int:
    """A whole number from 1 to 5; 5.0 is 5. Raises FieldError."""
    if match := _SCORE.fullmatch(text.strip()):
        return int(match[1])
    raise FieldError(text, "is not a whole number from 1 to 5", "give a score from 1 to 5")


def decimal_marks(text: str) -> set[DecimalMark]:
    """The marks with which it is a price: both for 1,299 and 1.299, which are then different prices."""
    bare = _GROUP_SPACE.sub("", text.strip())
    return {mark for mark, pattern in _PRICES.items() if pattern.fullmatch(bare)}


def price(text: str, mark: DecimalMark) -> Decimal | None:
    """A price in hundredths, None for a gap; thousands may be grouped. Raises FieldError."""
    if is_gap(text):
        return None
    bare = _GROUP_SPACE.sub("", text.strip())
    if not _PRICES[mark].fullmatch(bare):
        raise FieldError(text, _no_price(bare), _PRICE_FIX)
    value = Decimal(bare.replace("," if mark == "." else ".", "").replace(mark, "."))
    if value >= _PRICE_LIMIT:
        raise FieldError(text, f"is not less than {_PRICE_LIMIT:,}", _PRICE_FIX)
    return value.quantize(_CENT)


def _no_price(text: str) -> str:
    if text.startswith(("-", "\u2212", "(")):
        return "is negative"
    if any(unicodedata.category(character) == "Sc" for character in text):
        return "has a currency sign"
    if re.fullmatch(r"[\d.,]+[eE][-+]?\d+", text):
        return "is in scientific notation, which loses digits"
    return "is not a price"


def is_gap(text: str) -> bool:
    """Whether it stands for no value: blank, nan, null, none, n/a."""
    return text.strip().lower() in _MORE_GAPS


def remarks(text: str) -> str | None:
    """The customer's text without the space around it, None for a gap."""
    return None if text.strip().lower() in _GAPS else text.strip()


@lru_cache(maxsize=1 << 16)
def optional_name(text: str) -> str | None:
    """A name in its canonical form, None for a gap."""
    name = canonical_name(text)
    return None if is_gap(name) else name


@lru_cache(maxsize=1 << 16)
def name(text: str) -> str:
    """A name that must be there. Raises FieldError, which does not show it."""
    if (found := optional_name(text)) is None:
        raise FieldError("", "", "fill it in")
    return found


def unique_id(text: str) -> str:
    """The file's own id of the row, a UUID in lower case. Raises FieldError."""
    if is_gap(text):
        raise FieldError(text, "is no id", "give each row an id of its own")
    return uuid_text(text) or text.strip()


def uuid_text(text: str) -> str | None:
    """A UUID in lower case, None for any other text."""
    bare = text.strip()
    if _UUID.fullmatch(bare):
        return bare.lower()
    try:
        return str(UUID(bare))  # without its dashes, or in braces
    except ValueError:
        return None


def response_id(row_id: str) -> UUID:
    """The response's id: the same for the same row, whenever it is sent."""
    return uuid5(_NAMESPACE, f"response:{row_id}")


def case_id(row_id: str) -> str:
    """The case's id: the file's own where that is a UUID."""
    return uuid_text(row_id) or str(uuid5(_NAMESPACE, f"case:{row_id}"))


@lru_cache(maxsize=1 << 16)
def agent_id(agent_name: str) -> str:
    """The agent's id: the file has names only, so the same name is the same agent in every file."""
    return f"csv-agent-{uuid5(_NAMESPACE, f'agent:{agent_name}').hex[:_AGENT_DIGITS]}"
