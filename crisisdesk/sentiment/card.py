"""What a model's folder says about itself, read without loading the model."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from crisisdesk import resources
from crisisdesk.errors import ModelError
from crisisdesk.sentiment import labels
from crisisdesk.text import clean

SHIPPED: Final = "e5-posts-v2"
LABELS: Final = labels.LABELS
FILES: Final = ("model.onnx", "tokenizer.json", "tokenizer_config.json", "config.json")
MAX_TOKENS: Final = 64
"""What is read of a post where the folder says nothing."""
PIECE: Final = 1 << 20
"""Bytes read at once of files that may be larger than memory."""


@dataclass(frozen=True, slots=True)
class Card:
    """A model's description; `scores` holds what `model evaluate` gave when it was made, `pooled` and `by` column."""

    name: str
    digest: str
    folder: Path
    size: int
    """Bytes of all its files."""
    labels: tuple[str, ...]
    """In the order of the model's outputs."""
    means: tuple[str, ...]
    """What each label stands for: negative, neutral or positive."""
    max_tokens: int
    temperature: float
    languages: tuple[str, ...]
    licence: str
    base: str
    trained_on: tuple[str, ...]
    scores: dict[str, Any]


def default_model_folder() -> Path:
    """The folder of the model that ships with the desk."""
    return resources.folder("models") / SHIPPED


def read_card(folder: Path, given: Mapping[str, str] | None = None) -> Card:
    """Read the description of a model that runs on onnxruntime, and fingerprint its files.

    Args:
        folder: holds `FILES`.
        given: what labels mean, where a person says so.

    Raises:
        ModelError: a file is missing, or the configuration is not one of a sentiment model.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"The sentiment model {folder} lacks {', '.join(missing)}; restore the folder or install crisisdesk again."
        )
    config = read_config(folder)
    return describe(folder, config, FILES, [folder / "model.onnx", folder / "tokenizer.json"], given)


def read_config(folder: Path, unnamed: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The configuration of a classifier.

    Args:
        folder: holds `config.json`.
        unnamed: the labels of a configuration that names none.

    Raises:
        ModelError: it cannot be read, or is of another kind.
    """
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if unnamed:
            config.setdefault("id2label", dict(unnamed))
        _labels(config)
        own = config.setdefault("crisisdesk", {})
        own["temperature"] = float(own.get("temperature", 1.0))
        own["max_tokens"] = int(own.get("max_tokens", MAX_TOKENS))
        own["labels"] = dict(own.get("labels", {}))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"The configuration {folder / 'config.json'} is not that of a classifier ({error!r}); restore the file."
        ) from error
    if own["temperature"] <= 0 or own["max_tokens"] < 2:
        raise ModelError(
            f"The model {folder} names the temperature {own['temperature']:g} and {own['max_tokens']} tokens; needed "
            "are a temperature above 0 and at least 2 tokens."
        )
    return config


def describe(
    folder: Path,
    config: Mapping[str, Any],
    files: Iterable[str],
    deciding: Sequence[Path],
    given: Mapping[str, str] | None = None,
) -> Card:
    """The description of a model.

    Args:
        folder: where it is.
        config: what `read_config` gave, perhaps with more in its part `crisisdesk`.
        files: names of all its files.
        deciding: those whose every byte decides its scores.
        given: what labels mean, where a person says so; goes before what the configuration says.

    Raises:
        ModelError: what its labels mean is not clear.
    """
    own, names = config["crisisdesk"], _labels(config)
    name = clean(str(own.get("name", folder.name)), 200)
    called = str(folder) if name == folder.name else name
    means = tuple(labels.meanings(names, {**own.get("labels", {}), **(given or {})}, called))
    return Card(
        name=name,
        digest=_digest(config, means, deciding),
        folder=folder,
        size=sum((folder / name).stat().st_size for name in files),
        labels=names,
        means=means,
        max_tokens=own["max_tokens"],
        temperature=own["temperature"],
        languages=tuple(own.get("languages", ())),
        licence=own.get("licence", "not stated"),
        base=own.get("base", "not stated"),
        trained_on=tuple(own.get("trained_on", ())),
        scores=own.get("scores", {}),
    )


def _labels(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the outputs, in their order."""
    return tuple(str(config["id2label"][str(number)]) for number in range(len(config["id2label"])))


def _digest(config: Mapping[str, Any], means: Sequence[str], deciding: Sequence[Path]) -> str:
    """Twelve hexadecimal digits that change whenever a score could.

    The configuration counts without what was measured afterwards, so that recording scores does not rename the model.
    """
    total = hashlib.sha256()
    for path in deciding:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                total.update(piece)
    own, names = config["crisisdesk"], config["id2label"]
    total.update(json.dumps([names, own.get("temperature"), own.get("max_tokens")]).encode())
    if list(means) != list(_labels(config)):
        total.update(json.dumps(means).encode())
    return total.hexdigest()[:12]


def render(card: Card) -> str:
    """The description as lines for a person; what a folder says of itself is outside text."""
    rows = [
        ("model", card.name),
        ("digest", card.digest),
        ("folder", str(card.folder)),
        ("size", f"{card.size / 1e6:.1f} MB"),
        ("labels", ", ".join(_labelled(card))),
        ("reads", f"{card.max_tokens} tokens of a post"),
        ("languages", ", ".join(map(str, card.languages)) or "not stated"),
        ("licence", str(card.licence)),
        ("base", str(card.base)),
        ("temperature", f"{card.temperature:g}"),
        ("trained on", ", ".join(map(str, card.trained_on)) or "not stated"),
    ]
    for column, values in card.scores.get("by", {}).items():
        for value, figures in values.items():
            rows.append(("scores", f"{column} {value}: {_figures(figures)}"))
    return "\n".join(f"{what:<13}{clean(value)}" for what, value in rows)


def _figures(figures: Mapping[str, Any]) -> str:
    return (
        f"macro recall {figures['macro_recall']:.3f}, macro F1 {figures['macro_f1']:.3f}, "
        f"calibration error {figures['ece']:.3f} (n = {figures['n']:,})"
    )


def _labelled(card: Card) -> list[str]:
    """Each label, with what it means where that is not the same word."""
    pairs = zip(card.labels, card.means, strict=True)
    return [clean(label, 60) if label == mood else f"{clean(label, 60)} = {mood}" for label, mood in pairs]
