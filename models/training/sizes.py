"""How large each channel of a model becomes on real posts: what `graph.py` needs to know to round evenly."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm  # type: ignore[import-untyped]
from transformers import AutoModelForSequenceClassification, AutoTokenizer


class Sizes:
    """Keeps the largest value of each channel behind each norm of a model, while that judges."""

    def __init__(self, model: torch.nn.Module) -> None:
        self._found: dict[str, torch.Tensor] = {}
        for name, part in model.named_modules():
            if isinstance(part, torch.nn.LayerNorm):
                part.register_forward_hook(lambda _, __, normal, name=name: self._see(name, normal))

    def _see(self, name: str, normal: torch.Tensor) -> None:
        largest = normal.detach().abs().flatten(0, -2).amax(dim=0)
        self._found[name] = torch.maximum(largest, self._found.get(name, largest))

    def found(self) -> Mapping[str, np.ndarray]:
        """The largest values (width,) so far, by the norm's name in transformers."""
        return {name: largest.numpy() for name, largest in self._found.items()}


def sizes_of(folder: Path, texts: Sequence[str], max_tokens: int) -> Mapping[str, np.ndarray]:
    """What the channels of a trained model reach on prepared posts."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    sizes = Sizes(model)
    with torch.inference_mode():
        for text in tqdm(texts, desc="looking", unit="post", disable=None):
            model(**tokenizer(text, truncation=True, max_length=max_tokens, return_tensors="pt"))
    return sizes.found()
