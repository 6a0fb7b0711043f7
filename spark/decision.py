"""What the stream does not decide by itself."""

from csat.contract.alerts import AlertKey
from csat.contract.errors import CsatError


class DecisionNeededError(CsatError):
    """The stream must not continue before a person decides; `alert` is its key, the message names the command."""

    def __init__(self, alert: AlertKey, message: str, fix: str) -> None:
        super().__init__(message, fix)
        self.alert = alert
