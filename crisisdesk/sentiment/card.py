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
from crisisdesk.sentiment.config import Config, read_config
from crisisdesk.text import clean

SHIPPED: Final = "e5-posts-v2"
LABELS: Final = labels.LABELS
FILES: Final = ("model.onnx", "tokenizer.json", "tokenizer_config.json", "config.json")
REINSTALL: Final = "Install crisisdesk again."
RESTORE: Final = "Restore the folder."
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
    """What each label stands for: negative, neutral or positive, or "?" where that is not clear."""
    max_tokens: int
    temperature: float
    languages: tuple[str, ...]
    licence: str
    base: str
    trained_on: tuple[str, ...]
    scores: dict[str, Any]

    def require_clear(self) -> None:
        """Make sure that its labels can be told apart as moods, without which it cannot judge.

        Raises:
            ModelError: they cannot; says what to write.
        """
        labels.require_clear(self.labels, self.means, self.name)


def default_model_folder() -> Path:
    """The folder of the model that ships with the desk."""
    return resources.folder("models") / SHIPPED


def read_card(folder: Path, given: Mapping[str, str] | None = None, cure: str = RESTORE) -> Card:
    """Read the description of a model that runs on onnxruntime, and fingerprint its files.

    Args:
        folder: holds `FILES`.
        given: what labels mean, where a person says so.
        cure: what to do where a file is missing or broken.

    Raises:
        ModelError: a file is missing, or the configuration is not one of a sentiment model.
    """
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise ModelError(f"The sentiment model {folder} lacks {', '.join(missing)}. {cure}")
    deciding = [folder / "model.onnx", folder / "tokenizer.json"]
    return describe(folder, read_config(folder, cure), FILES, deciding, given)


def describe(
    folder: Path,
    config: Config,
    files: Iterable[str],
    deciding: Sequence[Path],
    given: Mapping[str, str] | None = None,
) -> Card:
    """The description of a model.

    Args:
        folder: where it is.
        config: what `read_config` gave, perhaps with more in its part of the desk.
        files: names of all its files.
        deciding: those whose every byte decides its scores.
        given: what labels mean, where a person says so; goes before what the configuration says.

    Raises:
        ModelError: `given` names a label or a mood that there is not.
    """
    own = config.own
    name = clean(own.name or folder.name, 200)
    means = labels.placed(config.labels, {**own.labels, **(given or {})}, name)
    return Card(
        name=name,
        digest=_digest(config, means, deciding),
        folder=folder,
        size=sum((folder / name).stat().st_size for name in files),
        labels=config.labels,
        means=means,
        max_tokens=own.max_tokens,
        temperature=own.temperature,
        languages=own.languages,
        licence=own.licence,
        base=own.base,
        trained_on=own.trained_on,
        scores=own.scores.model_dump(exclude_unset=True),
    )


def _digest(config: Config, means: Sequence[str], deciding: Sequence[Path]) -> str:
    """Twelve hexadecimal digits that change whenever a score could.

    The configuration counts without what was measured afterwards, so that recording scores does not rename the model.
    """
    total = hashlib.sha256()
    for path in deciding:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                total.update(piece)
    total.update(json.dumps([config.id2label, config.own.temperature, config.own.max_tokens]).encode())
    if means != config.labels:
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
        ("languages", ", ".join(card.languages) or "not stated"),
        ("licence", card.licence),
        ("base", card.base),
        ("temperature", f"{card.temperature:g}"),
        ("trained on", ", ".join(card.trained_on) or "not stated"),
    ]
    for column, values in card.scores.get("by", {}).items():
        rows += [("scores", f"{column} {value}: {_figures(figures)}") for value, figures in values.items()]
    return "\n".join(f"{what:<13}{clean(value)}" for what, value in rows)


def _figures(figures: Mapping[str, Any]) -> str:
    shown = {
        "macro recall": figures["macro_recall"],
        "macro F1": figures["macro_f1"],
        "calibration error": figures["ece"],
    }
    parts = (f"{what} {'-' if share is None else f'{share:.3f}'}" for what, share in shown.items())
    return f"{', '.join(parts)} (n = {figures['n']:,})"


def _labelled(card: Card) -> list[str]:
    """Each label, with what it means where that is not the same word."""
    pairs = zip(card.labels, card.means, strict=True)
    return [clean(label, 60) if label == mood else f"{clean(label, 60)} = {mood}" for label, mood in pairs]
