"""What a model's folder says about itself, read without loading the model."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from crisisdesk import resources
from crisisdesk.errors import ModelError

SHIPPED: Final = "minilm-posts-v1"
LABELS: Final = ("negative", "neutral", "positive")
FILES: Final = ("model.onnx", "tokenizer.json", "tokenizer_config.json", "config.json")


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


def read_card(folder: Path) -> Card:
    """Read a model's description and fingerprint its files.

    Raises:
        ModelError: a file is missing, or the configuration is not one of a sentiment model.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"The sentiment model {folder} lacks {', '.join(missing)}; restore the folder or install crisisdesk again."
        )
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        own = config.get("crisisdesk", {})
        labels = tuple(config["id2label"][str(i)] for i in range(len(config["id2label"])))
        temperature, max_tokens = float(own.get("temperature", 1.0)), int(own.get("max_tokens", 64))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"The configuration {folder / 'config.json'} is not that of a classifier ({error!r}); restore the file."
        ) from error
    if sorted(labels) != sorted(LABELS) or temperature <= 0 or max_tokens < 2:
        raise ModelError(
            f"The model {folder} names the labels {', '.join(labels)}, the temperature {temperature:g} and "
            f"{max_tokens} tokens; needed are {', '.join(LABELS)}, a temperature above 0 and at least 2 tokens."
        )
    return Card(
        name=folder.name,
        digest=_digest(folder),
        folder=folder,
        size=sum((folder / name).stat().st_size for name in FILES),
        labels=labels,
        max_tokens=max_tokens,
        temperature=temperature,
        languages=tuple(own.get("languages", ())),
        licence=own.get("licence", "not stated"),
        base=own.get("base", "not stated"),
        trained_on=tuple(own.get("trained_on", ())),
        scores=own.get("scores", {}),
    )


def _digest(folder: Path) -> str:
    """Twelve hexadecimal digits that change whenever a score could.

    The configuration counts without what was measured afterwards, so that recording scores does not rename the model.
    """
    total = hashlib.sha256()
    for name in ("model.onnx", "tokenizer.json"):
        total.update((folder / name).read_bytes())
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    own = config.get("crisisdesk", {})
    total.update(json.dumps([config["id2label"], own.get("temperature"), own.get("max_tokens")]).encode())
    return total.hexdigest()[:12]


def render(card: Card) -> str:
    """The description as lines for a person."""
    lines = [
        f"model        {card.name}",
        f"digest       {card.digest}",
        f"folder       {card.folder}",
        f"size         {card.size / 1e6:.1f} MB",
        f"labels       {', '.join(card.labels)}",
        f"languages    {', '.join(card.languages)}",
        f"licence      {card.licence}",
        f"base         {card.base}",
        f"temperature  {card.temperature:g}",
        f"trained on   {', '.join(card.trained_on)}",
    ]
    for column, values in card.scores.get("by", {}).items():
        for value, figures in values.items():
            lines.append(
                f"scores       {column} {value}: macro recall {figures['macro_recall']:.3f}, "
                f"macro F1 {figures['macro_f1']:.3f}, calibration error {figures['ece']:.3f} (n = {figures['n']:,})"
            )
    return "\n".join(lines)
