"""How long ago something was, by clocks that may be wrong."""

from datetime import datetime, timedelta

_SKEW = timedelta(minutes=1)  # clocks that are set over the network differ by less


def age(moment: datetime, now: datetime, ahead: timedelta = _SKEW) -> timedelta:
    """The time since `moment`; endless if it is more than `ahead` in the future, as a wrong clock wrote it."""
    return now - moment if moment - now <= ahead else timedelta.max
