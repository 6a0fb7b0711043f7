"""Names that a person may choose from, and the error for one that is not among them."""

from collections.abc import Collection
from difflib import get_close_matches

from csat.contract.errors import CsatError

_MAX_LISTED = 20
_CUTOFF = 0.5  # of difflib: a name with a letter missing or swapped is well above it


def unknown_name(kind: str, name: str, known: Collection[str]) -> CsatError:
    """The error for a name that is not known; its fix is the closest known name, or a list of them."""
    by_folded = {one.casefold(): one for one in known}
    close = get_close_matches(name.casefold(), by_folded, n=1, cutoff=_CUTOFF)
    if close:
        return CsatError(f"no {kind} {name!r}", f"did you mean {by_folded[close[0]]!r}?")
    listed = sorted(known)
    more = f" and {len(listed) - _MAX_LISTED} more" if len(listed) > _MAX_LISTED else ""
    return CsatError(f"no {kind} {name!r}", f"name one of {', '.join(listed[:_MAX_LISTED]) or '(none yet)'}{more}")
