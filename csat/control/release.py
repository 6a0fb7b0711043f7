"""What a Dataproc batch of the stream runs: files in the code bucket, in a folder named after the code version.

`make cloud-deploy` writes them, release.json last; the guard starts the version that is installed beside it.
"""

from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from csat.contract.errors import CsatError
from csat.control.object_store import read_object


class Release(BaseModel):
    """Addresses of the job file, the archive of Python packages, and the jars beyond Spark's own."""

    model_config = ConfigDict(frozen=True)

    job: str
    packages: str
    jars: tuple[str, ...]

    @classmethod
    def read(cls, code_uri: str, version: str) -> Self:
        """The release of a code version. Raises CsatError."""
        uri = release_uri(code_uri, version)
        try:
            return cls.model_validate_json(read_object(uri))
        except FileNotFoundError as error:
            raise CsatError(f"{uri} is missing: make cloud-deploy uploads this version of the code") from error
        except ValidationError as error:
            raise CsatError(f"{uri} is not a valid release: make cloud-deploy rewrites it") from error


def release_folder(code_uri: str, version: str) -> str:
    """Folder of a version's files."""
    return f"{code_uri.rstrip('/')}/stream/{version}"


def release_uri(code_uri: str, version: str) -> str:
    """Address of a version's release.json."""
    return f"{release_folder(code_uri, version)}/release.json"
