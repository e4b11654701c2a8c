"""How a desk without a console speaks on stderr: for people, or in JSON, where every line is one object.

In JSON nothing else may come there, whoever writes it: messages, the log, unexpected errors with their tracebacks,
warnings of Python and what libraries log are objects with `time` (RFC 3339, UTC), `level`, `event` and fields. All is
ASCII, so that no text from outside can steer the terminal of whoever reads the raw log.
"""

import io
import json
import logging
import sys
import threading
from contextlib import suppress
from traceback import format_exception
from types import TracebackType
from typing import Any, Final, TextIO, cast

import structlog

from crisisdesk.cli.terminal import speak_by

LEVELS: Final = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def speak(*, as_json: bool) -> None:
    """Speak so from now on, to the end of the program."""
    stream = sys.stderr
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time" if as_json else "timestamp"),
            structlog.processors.add_log_level,
            _as_json if as_json else structlog.dev.ConsoleRenderer(colors=stream.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda: _Written(stream),
    )
    if as_json:
        _catch_all()


def _as_json(_logger: object, _name: str, fields: structlog.typing.EventDict) -> str:
    first = {name: fields.pop(name) for name in ("time", "level", "event")}
    return json.dumps(first | dict(fields), default=str)


def _catch_all() -> None:
    """Let all who write to stderr in this process write objects."""
    speak_by(lambda message, level: _log(level, message.removeprefix("warning: ")))
    sys.stderr = cast("TextIO", _Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[_Handler()], force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = _unexpected
    threading.excepthook = lambda one: _unexpected(one.exc_type, one.exc_value, one.exc_traceback)
    sys.unraisablehook = lambda one: _unexpected(one.exc_type, one.exc_value, one.exc_traceback, one.err_msg or "")


def _log(level: str, event: str, **fields: object) -> None:
    structlog.get_logger().log(LEVELS[level], event, **fields)


def _unexpected(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None, where: str = ""
) -> None:
    if not issubclass(kind, SystemExit):
        _log("error", where or "unexpected error", error=f"{kind.__name__}: {error}", traceback=_told(error, trace))


def _told(error: BaseException | None, trace: TracebackType | None) -> str:
    return "".join(format_exception(type(error), error, trace)) if error is not None else ""


class _Handler(logging.Handler):
    """What libraries log, and what asyncio says of errors that nobody has awaited."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record down; one that cannot be put into words is told as it is."""
        try:
            event = record.getMessage()
        except (TypeError, ValueError):
            event = str(record.msg)
        fields: dict[str, Any] = {"logger": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            _, error, trace = record.exc_info
            fields |= {"error": f"{type(error).__name__}: {error}", "traceback": _told(error, trace)}
        level = "error" if record.levelno >= logging.ERROR else "warning" if record.levelno > logging.INFO else "info"
        _log(level, event.strip(), **fields)


class _Lines(io.TextIOBase):
    """Stands where stderr was: each line that anybody writes there is an object of its own."""

    def __init__(self) -> None:
        self._begun = threading.local()

    def write(self, text: str, /) -> int:
        """Take text; a line goes out with its end."""
        *lines, self._begun.text = (getattr(self._begun, "text", "") + text).split("\n")
        for line in lines:
            self._tell(line)
        return len(text)

    def flush(self) -> None:
        """Let out what has no end yet."""
        begun, self._begun.text = getattr(self._begun, "text", ""), ""
        self._tell(begun)

    def _tell(self, line: str) -> None:
        if line.strip():
            _log("warning", line.strip())


class _Written:
    """Where log lines end, each in one piece and without a lock, which an error in the midst of a line would wait for.

    What cannot be written is lost: a full disk or a reader who is gone stops no desk.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def info(self, line: str) -> None:
        """Write a line."""
        with suppress(OSError, RuntimeError, ValueError):
            self._stream.write(f"{line}\n")
            self._stream.flush()

    warning = error = info
