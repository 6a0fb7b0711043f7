"""A private copy of a file: what is checked is what is sent, whatever happens to the file in between."""

import codecs
import errno
import io
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from csat.contract.errors import CsatError

_CHUNK_BYTES = 1 << 20
_SAVE_AS = "save it as CSV in UTF-8"
# The first bytes of what is taken for a CSV file by mistake, and what to do.
_OTHER_FORMATS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "a gzip file", "unpack it with gunzip"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook (.xlsx)", f"unpack it with unzip, or {_SAVE_AS} in Excel"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", f"{_SAVE_AS} in Excel"),
    (b"BZh", "a bzip2 file", "unpack it with bunzip2"),
    (b"\xfd7zXZ\x00", "an xz file", "unpack it with unxz"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", "unpack it with unzstd"),
    (b"PAR1", "a Parquet file", _SAVE_AS),
    (b"%PDF", "a PDF document", _SAVE_AS),
    (b"SQLite format 3", "an SQLite database", _SAVE_AS),
    (b"<", "an HTML or XML page", "download the file itself; Kaggle asks for a login first"),
    (b"{", "a JSON document", _SAVE_AS),
    (b"[", "a JSON document", _SAVE_AS),
)
# UTF-32 before UTF-16, which its mark begins with.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_ASCII = re.compile("[\u0080-\ud7ff\ue000-\U0010ffff]")


@dataclass(frozen=True)
class Copy:
    """The copy, open until it is closed; the encoding of its text, and how many lines that has."""

    path: Path
    file: BinaryIO
    encoding: str
    lines: int

    def text(self) -> TextIO:
        """The text from its start, with its line ends; read one at a time. It has to be closed by itself."""
        text = open(os.dup(self.file.fileno()), encoding=self.encoding, newline="")  # noqa: SIM115, PTH123
        text.seek(0)
        return text

    def close(self) -> None:
        """Give the copy up."""
        self.file.close()


class _UndecodableError(Exception):
    """A byte does not belong to the encoding."""

    def __init__(self, line: int, byte: int) -> None:
        super().__init__()
        self.line, self.byte = line, byte


def copied(path: Path) -> Copy:
    """A copy without a name in the folder for temporary files; nobody else can read it. Raises CsatError."""
    try:
        kind = path.stat().st_mode
        if not stat.S_ISREG(kind):
            what = "a folder" if stat.S_ISDIR(kind) else "a pipe or a device"
            raise CsatError(f"{path} is {what}", "name a regular file")
        file = tempfile.TemporaryFile()  # noqa: SIM115  # it outlives this function
        try:
            _fill(file, path)
            return Copy(path, file, *_encoding(file, path))
        except BaseException:
            file.close()
            raise
    except OSError as error:
        raise CsatError(f"{path} cannot be read: {error.strerror}", _fix(error, path)) from error


def _fix(error: OSError, path: Path) -> str:
    if isinstance(error, FileNotFoundError):
        return "name a file that exists"
    if isinstance(error, PermissionError):
        return f"let this user read it (chmod u+r {path})"
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}:
        return f"make room for a copy in {tempfile.gettempdir()}, or set TMPDIR to another folder"
    return "name another file"


def _fill(copy: BinaryIO, path: Path) -> None:
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK_BYTES):
            copy.write(chunk)
    copy.flush()


def _encoding(file: BinaryIO, path: Path) -> tuple[str, int]:
    file.seek(0)
    head = file.read(4096)
    for start, what, fix in _OTHER_FORMATS:
        if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(start):
            raise CsatError(f"{path} is {what}", fix)
    encoding = _by_first_bytes(head)
    try:
        return encoding, _lines(file, encoding, path)
    except _UndecodableError as error:
        place = f"{path}, line {error.line}: the byte 0x{error.byte:02X} is not {encoding.upper().removesuffix('-SIG')}"
        if encoding != "utf-8" or _has_other_characters(file):
            raise CsatError(f"{place}", _SAVE_AS) from error
    try:
        return "cp1252", _lines(file, "cp1252", path)
    except _UndecodableError as error:
        raise CsatError(f"{place}, and not all of the file is Windows-1252", _SAVE_AS) from error


def _by_first_bytes(head: bytes) -> str:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    start = head[:64]  # of the header, which is ASCII
    if len(start) > 1 and not any(start[1::2]):
        return "utf-16-le"
    return "utf-16-be" if len(start) > 1 and not any(start[::2]) else "utf-8"


def _lines(file: BinaryIO, encoding: str, path: Path) -> int:
    """Lines of the text. Raises _UndecodableError, and CsatError for a NUL character."""
    lines = 1
    decoder = codecs.getincrementaldecoder(encoding)()
    ends = io.IncrementalNewlineDecoder(None, translate=True)
    for chunk in _chunks(file):
        try:
            text = ends.decode(decoder.decode(chunk, final=not chunk), final=not chunk)
        except UnicodeDecodeError as error:
            good = error.object[: error.start].decode(error.encoding, errors="ignore")
            lines += ends.decode(good).count("\n")
            raise _UndecodableError(lines, error.object[error.start]) from error
        if "\0" in text:
            line = lines + text[: text.index("\0")].count("\n")
            raise CsatError(f"{path}, line {line}: a NUL character: the file is damaged", _SAVE_AS)
        lines += text.count("\n")
    return lines


def _has_other_characters(file: BinaryIO) -> bool:
    """Whether some bytes are UTF-8 beyond ASCII: then the others are damage, not another encoding."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    return any(_NOT_ASCII.search(decoder.decode(chunk, final=not chunk)) for chunk in _chunks(file))


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """The file, and an empty chunk at its end."""
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
    yield b""
