import hashlib

import pytest

from csat.bigquery.erasures import STATEMENTS, IdKind, erased_id
from csat.contract.errors import CsatError

ID = "AABBCCDD-EF01-4ABC-8DEF-0123456789AB"
HASH = hashlib.sha256(b"aabbccddef014abc8def0123456789ab").hexdigest()


@pytest.mark.parametrize(
    "text", [ID, ID.lower(), f" {ID} ", ID.replace("-", ""), f"urn:uuid:{ID}", f"{{{ID}}}", HASH, HASH.upper()]
)
def test_an_id_in_any_notation_has_one_hash(text: str) -> None:
    assert erased_id(IdKind.CASE, text).id_hash == HASH


@pytest.mark.parametrize("text", ["secret-7", HASH[:-1], f"{ID}0"])
def test_another_text_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(CsatError, match="--order is neither a UUID nor the SHA-256 of one") as refused:
        erased_id(IdKind.ORDER, text)
    assert text not in str(refused.value)


def test_no_statement_has_a_place_left_to_fill() -> None:
    assert [statement.text for statement in STATEMENTS if "{{" in statement.text] == []
