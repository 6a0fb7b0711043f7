"""What a batch of the stream runs on Dataproc: files in the code bucket, in a folder named by the code's version.

`make cloud-deploy` writes them, this document last; the guard starts the version that it has itself.
"""

from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from csat.store import read_object


class ReleaseError(Exception):
    """There is no such release, or it cannot be read; the message names the fix."""


class Release(BaseModel):
    """The addresses of the job's file, of the archive of Python packages, and of the jars beside Spark's own."""

    model_config = ConfigDict(frozen=True)

    job: str
    packages: str
    jars: tuple[str, ...]

    @classmethod
    def read(cls, code_uri: str, version: str) -> Self:
        """The release of a version of the code. Raises ReleaseError."""
        uri = release_uri(code_uri, version)
        try:
            return cls.model_validate_json(read_object(uri))
        except FileNotFoundError as error:
            raise ReleaseError(f"{uri} is missing: make cloud-deploy puts this version of the code there") from error
        except ValidationError as error:
            raise ReleaseError(f"{uri} is no release of this version: make cloud-deploy writes it anew") from error
        except OSError as error:
            raise ReleaseError(str(error)) from error


def release_folder(code_uri: str, version: str) -> str:
    """Where the files of a version lie."""
    return f"{code_uri.rstrip('/')}/stream/{version}"


def release_uri(code_uri: str, version: str) -> str:
    """Where the document of a version lies."""
    return f"{release_folder(code_uri, version)}/release.json"
