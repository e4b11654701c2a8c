"""Measure how often each surprise is reached in ordinary weeks, and store it beside the detector.

    python -m crisisdesk.simulate.calibrate

takes ten minutes on two processors. To be run whenever the code of the detector has changed; a test says so.
"""

import ast
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np

from crisisdesk.detect.budget import CALIBRATION, Thresholds, threshold
from crisisdesk.simulate.brands import Kind
from crisisdesk.simulate.measure import Listened, false_alarms, hear, side_by_side, trials

MEASURED: Final = (
    "windows", "baseline", "expected", "spread", "loudest", "hearing", "learning", "surprise", "judgement", "spike",
)  # fmt: skip
"""The files of `crisisdesk.detect` that decide how much a brand's posts surprise."""
KINDS: Final = tuple(Kind(size) for size in (100.0, 30.0, 10.0, 3.0, 1.0, 0.3))
"""By mean posts in five minutes; each counts as much as the others."""
SEED: Final = 4711
BRANDS: Final = 40
"""Of each size."""
SURPRISES: Final = np.arange(2.0, 5.01, 0.1)
FEWEST: Final = 12
"""False alarms that must have been seen for a point of the table."""
REFERENCE: Final = Thresholds(notice=2.35, amber=2.77, red=3.6)
"""With which the brands are heard: what reaches amber is not learnt from, so the figures hang on it a little."""


def digest() -> str:
    """Of the detector's code; comments, docstrings and layout do not count."""
    code = (files("crisisdesk.detect").joinpath(f"{name}.py").read_text(encoding="utf-8") for name in MEASURED)
    return hashlib.sha256(" ".join(map(fingerprint, code)).encode()).hexdigest()[:16]


def fingerprint(code: str) -> str:
    """What two versions of a file have in common that do the same to the letter."""
    return hashlib.sha256("\n".join(_pieces(ast.parse(code))).encode()).hexdigest()


def table(brands: Sequence[Listened]) -> list[tuple[float, float]]:
    """Surprise and false alarms a month, each less often than the one before, as far as there were enough of them."""
    points: list[tuple[float, float]] = []
    for surprise in np.round(SURPRISES, 2).tolist():
        rate = false_alarms(brands, surprise)
        if rate.a_month * rate.months < FEWEST:
            break
        if not points or rate.a_month < points[-1][1]:
            points.append((surprise, round(rate.a_month, 4)))
    return points


def calibrate(seed: int = SEED, brands: int = BRANDS, path: Path = CALIBRATION, kinds: Sequence[Kind] = KINDS) -> None:
    """Measure so many brands of each kind, and write the table."""
    code = digest()  # of what is measured, should somebody edit it meanwhile
    tasks = [trial for place, kind in enumerate(kinds) for trial in trials(kind, brands, (seed, place), REFERENCE)]
    found = side_by_side(hear, tasks, lambda done: _say(f"\r{done} of {len(tasks)}"))
    heard = [one for some in found for one in some]
    points = table(heard)
    record = {
        "made_by": "python -m crisisdesk.simulate.calibrate",
        "code": code,
        "seed": seed,
        "brands": len(heard),
        "months": round(false_alarms(heard, 0.0).months, 1),
        "false_alarms": points,
        "at_one_a_month_by_size": _by_size(heard, kinds, threshold(1.0, points)),
    }
    path.write_text(_as_text(record), encoding="utf-8")
    _say(f"\r{path} is written.\n")


def _by_size(brands: Sequence[Listened], kinds: Sequence[Kind], surprise: float) -> dict[str, float]:
    """False alarms a month at one threshold for brands of each size (mean posts in five minutes)."""
    rates = ((kind, false_alarms([one for one in brands if one.kind == kind], surprise)) for kind in kinds)
    return {f"{kind.posts:g}": round(rate.a_month, 3) for kind, rate in rates}


def _pieces(node: ast.AST) -> Iterator[str]:
    """A tree's nodes and values in order, the same in every version of Python."""
    yield type(node).__name__
    for name, value in ast.iter_fields(node):
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str):
                continue
            if isinstance(one, ast.AST):
                yield from _pieces(one)
            elif one is not None:
                yield f"{name}={one!r}"


def _as_text(record: dict[str, object]) -> str:
    """A point a line."""
    text = json.dumps(record, indent=2)
    for surprise, rate in record["false_alarms"]:  # type: ignore[attr-defined]
        text = text.replace(json.dumps([surprise, rate], indent=2).replace("\n", "\n    "), f"[{surprise}, {rate}]")
    return text + "\n"


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


if __name__ == "__main__":
    calibrate()
