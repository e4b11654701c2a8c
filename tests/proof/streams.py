"""The command line with a model that costs nothing, in a process of its own, and how much memory that took."""

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROGRAM = """
import os, resource, sys
from crisisdesk.cli import models, tools
from crisisdesk.cli.main import run

class Scripted:
    name, digest, languages = "scripted", "1", ("en", "de")

    def score(self, texts):
        return [(0.8, 0.15, 0.05) if "awful" in text else (0.1, 0.8, 0.1) for text in texts]

tools.load_shipped_model = models.load_shipped_model = Scripted
code = run()
if place := os.environ.get("PEAK"):
    with open(place, "w") as file:
        file.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
sys.exit(code)
"""


def scripted(*arguments: str, **options: Any) -> "subprocess.Popen[bytes]":
    """`crisisdesk` with these arguments, its stdout and stderr in pipes unless the options say otherwise."""
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], **piped | options)


def posts(number: int, *, labelled: bool) -> Iterator[bytes]:
    """Short lines, every third awful; labelled ones with a header and a language."""
    if labelled:
        yield b"label\ttext\tlang\n"
    for n in range(number):
        words, label = ("an awful day", "negative") if n % 3 == 0 else ("a day", "neutral")
        yield f"{label}\t{words} {n}\t{'de' if n % 4 else 'en'}\n".encode() if labelled else f"{words} {n}\n".encode()


def write(path: Path, number: int, *, labelled: bool = False) -> Path:
    """So many posts as a file, packed if its name says so."""
    with gzip.open(path, "wb", compresslevel=1) if path.suffix == ".gz" else path.open("wb") as file:
        file.writelines(posts(number, labelled=labelled))
    return path


def peak(*arguments: str, stdin: Path | None = None, folder: Path) -> int:
    """Bytes of memory that a run took at most; its results go to `folder`/results."""
    place = folder / "peak"
    with (folder / "results").open("wb") as results, (stdin or Path(os.devnull)).open("rb") as source:
        options = {"stdout": results, "stdin": source, "env": {**os.environ, "PEAK": str(place)}}
        with scripted(*arguments, **options) as running:
            running.communicate()
    assert running.returncode == 0
    return int(place.read_text()) * 1024
