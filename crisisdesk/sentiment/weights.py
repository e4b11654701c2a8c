"""Where a folder of Hugging Face's tools keeps the weights: in one file, or in several that an index names."""

import json
from pathlib import Path
from typing import Final

FORMS: Final = ("model.safetensors", "pytorch_model.bin")
"""The one file, the better form first."""
INDEX: Final = ".index.json"
"""Follows the name of the one file where there are several."""


def weights_in(folder: Path) -> list[Path]:
    """The files with the weights, in the better form that there is; those that an index names need not be there."""
    for form in FORMS:
        if (folder / form).is_file():
            return [folder / form]
        if (folder / f"{form}{INDEX}").is_file():
            return [folder / name for name in _named(folder / f"{form}{INDEX}")]
    return []


def lacking(folder: Path) -> list[str]:
    """Which files the folder lacks of its weights; none where they are whole."""
    weights = weights_in(folder)
    return [path.name for path in weights if not path.is_file()] if weights else [" or ".join(FORMS)]


def _named(index: Path) -> list[str]:
    """The files beside it that an index names; none where it is no index."""
    try:
        names = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        return sorted({Path(name).name for name in names})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
