"""The base of every error that this project names."""


class CsatError(Exception):
    """Something failed. A program that meets it prints it as one line, without a traceback.

    `message` names what failed, with its value. `fix` says what to do; it is empty if the message says so itself.
    `str()` joins the two. A subclass is for an error that some caller handles by itself.
    """

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}, fix: {self.fix}" if self.fix else self.message
