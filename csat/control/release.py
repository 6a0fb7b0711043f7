"""What a Dataproc batch of the stream runs: files in the code bucket, in a folder named after the code version.

`make cloud-deploy` writes them, release.json last; the guard starts the version that is installed beside it.
"""

from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from csat.contract.errors import CsatError
from csat.control.object_store import md5_of, read_object

_FIX = "find out who changed it, then make cloud-deploy"


class Release(BaseModel):
    """Addresses of the job file, the archive of Python packages, and the jars beyond Spark's own; the MD5 of each."""

    model_config = ConfigDict(frozen=True)

    job: str
    packages: str
    jars: tuple[str, ...]
    md5: dict[str, str]  # by address, in base64

    def check(self) -> None:
        """Raise CsatError unless every file that a batch runs is there as it was deployed."""
        for uri in (self.job, self.packages, *self.jars):
            try:
                found = md5_of(uri)
            except FileNotFoundError as error:
                raise CsatError(f"{uri} is missing", _FIX) from error
            if found != self.md5.get(uri):
                deployed = self.md5.get(uri, "in release.json")
                raise CsatError(f"{uri} is not the file that was deployed: its MD5 is {found}, not {deployed}", _FIX)

    @classmethod
    def read(cls, code_uri: str, version: str) -> Self:
        """The release of a code version. Raises CsatError."""
        uri = release_uri(code_uri, version)
        try:
            return cls.model_validate_json(read_object(uri))
        except FileNotFoundError as error:
            raise CsatError(f"{uri} is missing: make cloud-deploy uploads this version of the code") from error
        except (ValidationError, UnicodeDecodeError) as error:
            raise CsatError(f"{uri} is not a valid release: make cloud-deploy rewrites it") from error


def release_folder(code_uri: str, version: str) -> str:
    """Folder of a version's files."""
    return f"{code_uri.rstrip('/')}/stream/{version}"


def release_uri(code_uri: str, version: str) -> str:
    """Address of a version's release.json."""
    return f"{release_folder(code_uri, version)}/release.json"
