"""The lines of a file that may be large, compressed, cut off or no text at all, one at a time."""

import codecs
import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from crisisdesk.errors import UsageError
from crisisdesk.text import clean

STDIN: Final = "-"
TOO_LONG: Final = "is longer than any post"
MAX_LINE: Final = 1 << 20
"""Bytes of a line; a post has some thousand, and what is longer is not read into memory at all."""

SEPARATOR: Final = "sep="
"""Begins a line that spreadsheets put before the header of a table."""
AS_WINDOWS: Final = "as-windows"
"""What to do about bytes that are no UTF-8 (`errors` of `decode`): they are letters as Windows writes them."""

TAIL: Final = 256
"""Bytes kept of the end of a line, by which its place in the file is known again."""

BROKEN_ARCHIVE: Final = (gzip.BadGzipFile, EOFError, zlib.error)
"""What reading an archive may raise, and will again."""
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZIP_MAGIC: Final = b"PK\x03\x04"
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BUFFER: Final = 1 << 16
_PROGRESS_STEP: Final = 256
"""Lines between two reports of progress."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be used: where it is and why."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end; `content` None when it is longer than `MAX_LINE`."""

    number: int
    content: bytes | None
    start: int = 0
    end: int = 0
    """Bytes of the file, unpacked and as UTF-8, before it and up to its end."""
    tail: bytes = b""
    """The last of these bytes, as far as they have been read."""


class Progress:
    """How many bytes of all files were read, as they lie on the disk; a listener is told now and then."""

    def __init__(self, listener: Callable[[int], None] | None = None) -> None:
        self.read = 0
        self._listener = listener

    def add(self, size: int) -> None:
        """Another `size` bytes came from the disk."""
        self.read += size

    def report(self) -> None:
        """Tell the listener."""
        if self._listener:
            self._listener(self.read)


class _Counted(io.RawIOBase):
    """A file that counts what is read from it."""

    def __init__(self, raw: io.RawIOBase, progress: Progress) -> None:
        self._raw = raw
        self._progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        # Unbuffered: it hands over what a pipe holds already, so that a live standard input is not held back.
        got = self._raw.readinto(buffer) or 0
        self._progress.add(got)
        return got

    def seekable(self) -> bool:
        return self._raw.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._raw.seek(offset, whence)

    def fileno(self) -> int:
        return self._raw.fileno()


class _Recoded(io.RawIOBase):
    """A text as UTF-8, whatever its encoding."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._rest = b""
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        self._rest = self._rest or self._text.read(_BUFFER).encode()
        got, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(got)] = got
        self._read += len(got)
        return len(got)

    def seekable(self) -> bool:
        return self._text.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a byte of the UTF-8, from the beginning: where it lies in the file is not known."""
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only from the beginning")
        if offset < self._read:
            self._text.seek(0)
            self._rest, self._read = b"", 0
        while self._read < offset and self.readinto(memoryview(bytearray(min(offset - self._read, _BUFFER)))):
            pass
        return self._read

    def tell(self) -> int:
        return self._read

    def fileno(self) -> int:
        return self._text.fileno()


class UnreadableError(UsageError):
    """A file is not there or may not be read."""

    def __init__(self, path: Path, error: Exception) -> None:
        super().__init__(f"{shown_name(path)}: cannot be read ({reason(error)}); check the path.")
        self.missing = isinstance(error, FileNotFoundError)


def check_files(paths: Iterable[Path]) -> None:
    """Make sure that every file is there and may be read, before anything else is started for them.

    Raises:
        UsageError: names the file and what is wrong with it.
    """
    for path in paths:
        if str(path) == STDIN:
            continue
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except (OSError, ValueError) as error:
            raise UnreadableError(path, error) from None
        if is_folder:
            raise UsageError(f"{shown_name(path)}: is a folder; name the files in it.")
        if not os.access(path, os.R_OK):
            raise UsageError(f"{shown_name(path)}: cannot be read (no permission).")


def size_of(paths: Iterable[Path]) -> int | None:
    """Bytes on the disk of all files together, for a progress bar; None with standard input or a pipe."""
    total = 0
    for path in paths:
        if str(path) == STDIN or not path.is_file():
            return None
        total += path.stat().st_size
    return total


def shown_name(path: Path) -> str:
    """How messages call the file; its bytes may be no text at all, or steer a terminal."""
    return "standard input" if str(path) == STDIN else clean(str(path))


def suffix(path: Path) -> str:
    """The ending that says what is in the file, without `.gz`, in lower case."""
    endings = [ending.lower() for ending in path.suffixes if ending.lower() != ".gz"]
    return endings[-1] if endings else ""


@contextmanager
def opened(path: Path, progress: Progress) -> Iterator[io.BufferedIOBase]:
    """Open a file for reading, unpacked if it is gzip and as UTF-8 if it is UTF-16, whatever its name says.

    Raises:
        UnreadableError: the file is not there or may not be read.
        UsageError: it is a spreadsheet.
    """
    try:
        raw = _stdin() if str(path) == STDIN else path.open("rb", buffering=0)
    except (OSError, ValueError) as error:
        raise UnreadableError(path, error) from None
    try:
        counted = io.BufferedReader(_Counted(raw, progress), _BUFFER)
        yield _as_utf8(gzip.GzipFile(fileobj=counted) if counted.peek().startswith(_GZIP_MAGIC) else counted, path)
    finally:
        if str(path) != STDIN:
            raw.close()


def _as_utf8(file: "io.BufferedReader[Any] | gzip.GzipFile", path: Path) -> io.BufferedIOBase:
    start = b""
    with suppress(OSError, EOFError, zlib.error):  # a damaged archive, which reading will tell
        start = file.peek(len(_ZIP_MAGIC))
    if start.startswith(_ZIP_MAGIC):
        raise UsageError(f"{shown_name(path)}: is a spreadsheet or an archive; save its table as CSV and give that.")
    if not start.startswith(_UTF_16):
        return file
    return io.BufferedReader(_Recoded(io.TextIOWrapper(file, "utf-16", errors="replace", newline="")), _BUFFER)


def _stdin() -> io.RawIOBase:
    """Standard input without its buffer: Python aborts at its end if a thread still waits inside that one."""
    return cast("io.RawIOBase", getattr(sys.stdin.buffer, "raw", sys.stdin.buffer))


def grows_in_place(file: io.BufferedIOBase) -> bool:
    """Whether what is appended to an opened file can be read as it comes: not of an archive, nor of UTF-16."""
    return isinstance(file, io.BufferedReader) and isinstance(file.raw, _Counted)


def read_lines(file: io.BufferedIOBase, progress: Progress, on_bad: Callable[[int, str], None]) -> Iterator[Line]:
    """Every line that is not blank, numbered from 1, without byte order mark and line end.

    A file that breaks off (a cut archive, a failing disk) is reported as one bad line and ends there.
    """
    number = 0
    try:
        for line in lines_from(file):
            number = line.number
            if number % _PROGRESS_STEP == 0:
                progress.report()
            yield line
    except (OSError, *BROKEN_ARCHIVE) as error:
        on_bad(number + 1, breaks_off(error))
    progress.report()


def breaks_off(error: Exception) -> str:
    """The reason of the bad line at which a file ends before its time."""
    return f"the file breaks off here ({reason(error)}); what comes after it is lost"


def lines_from(file: io.BufferedIOBase, number: int = 0, offset: int = 0, *, growing: bool = False) -> Iterator[Line]:
    """Every line that is not blank, from where the file stands, without byte order mark and line end.

    Zero bytes before a line are left out: a writer that crashed leaves them behind, and one that goes on in a file
    that was emptied under its hands. A line of nothing else is one zero byte.

    Args:
        file: as `opened` gives it.
        number: lines before.
        offset: bytes before, unpacked.
        growing: the last line is left for later as long as it has no end.

    Raises:
        OSError, EOFError, zlib.error: the file cannot be read on.
    """
    tail = b""
    while True:
        content, size = _line(file)
        if not size:
            return
        hollow = size > len(content)
        tail = content[-TAIL:] if hollow or len(content) >= TAIL else (tail + content)[-TAIL:]
        if not (whole := len(content) <= MAX_LINE or content.endswith(b"\n")):
            rest, tail = _skip_rest(file)
            size += rest
        if growing and not tail.endswith(b"\n"):
            return
        start, offset, number = offset, offset + size, number + 1
        if start == 0:
            content = content.removeprefix(b"\xef\xbb\xbf")
        if not whole:
            yield Line(number, None, start, offset, tail)
        elif content and not content.isspace():
            yield Line(number, content.rstrip(b"\r\n"), start, offset, tail)
        elif hollow:
            yield Line(number, b"\0", start, offset, tail)


def _line(file: io.BufferedIOBase) -> tuple[bytes, int]:
    """The next line without the zero bytes before it, cut when it is too long; and how many bytes were read."""
    content, size = b"", 0
    while True:
        piece = file.readline(MAX_LINE + 1 - len(content))
        size += len(piece)
        content = (content + piece).lstrip(b"\0")
        if not piece or piece.endswith(b"\n") or len(content) > MAX_LINE:
            return content, size


def _skip_rest(file: io.BufferedIOBase) -> tuple[int, bytes]:
    """Read past the rest of a line that is too long; how many bytes, and the last of them."""
    size, tail = 0, b""
    while not tail.endswith(b"\n") and (rest := file.readline(MAX_LINE)):
        size, tail = size + len(rest), rest[-TAIL:]
    return size, tail


class NotUtf8(ValueError):
    """A line is text of another encoding."""


def decoded(content: bytes) -> str:
    """The text of a line.

    Raises:
        NotUtf8: it is not UTF-8; says where and what to do.
        ValueError: it is no text.
    """
    if b"\0" in content:
        raise ValueError("holds zero bytes; save the file as UTF-8 text")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise NotUtf8(f"byte {error.start + 1} is not UTF-8; save the file as UTF-8") from None


def _windows_letters(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are no UTF-8, as letters; "�" for the five that Windows has none for."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error(AS_WINDOWS, _windows_letters)


def reason(error: Exception) -> str:
    """What the system says, in a few words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "the archive is cut off" if isinstance(error, EOFError) else "the archive is damaged"
