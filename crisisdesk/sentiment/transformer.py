"""The shipped model: a small transformer in 8 bits on onnxruntime, with the tokenizer of its Hugging Face folder."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from crisisdesk.errors import ModelError
from crisisdesk.sentiment.base import NEUTRAL, Scores
from crisisdesk.sentiment.card import LABELS, Card, default_model_folder, read_card
from crisisdesk.sentiment.prepare import NOTHING, prepare
from crisisdesk.text import clean

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession
    from transformers import PreTrainedTokenizerBase

TOKEN_BUDGET: Final = 2048
"""Tokens of one run of the network: enough to keep two cores busy, and its tensors stay near the cache."""
THREADS: Final = 2
DECIMALS: Final = 4
"""Kept of a probability: CPUs of different makers agree to about the sixth, and nobody acts on the fifth."""


class TransformerModel:
    """Scores posts with a classifier from a folder; made by `load`."""

    def __init__(self, card: Card, tokenizer: "PreTrainedTokenizerBase", session: "InferenceSession") -> None:
        self._card = card
        self._tokenizer = tokenizer
        self._session = session
        self._special = frozenset(tokenizer.all_special_ids)
        self._order = [card.labels.index(label) for label in LABELS]

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self._card.name

    @property
    def digest(self) -> str:
        """A short fingerprint of its files."""
        return self._card.digest

    def score(self, texts: Sequence[str]) -> list[Scores]:
        """Probabilities of negative, neutral and positive for each text, in order.

        Any text will do: what is not clean is cleaned, what is too long is cut, and one in which the model can read
        nothing (empty, or only signs that it does not know) is neutral: what nobody can read calls nobody.
        A batch holds posts of one length, so that nothing is padded and a post's scores depend on itself alone.
        """
        if not texts:
            return []
        prepared = [prepare(clean(text)) for text in texts]
        tokens = self._tokenizer(
            prepared,
            truncation=True,
            max_length=self._card.max_tokens,
            return_attention_mask=False,
            return_token_type_ids=False,
        )["input_ids"]
        logits = np.zeros((len(texts), len(LABELS)), np.float32)
        for batch in batches([len(ids) for ids in tokens], TOKEN_BUDGET):
            logits[batch] = self._session.run(
                ["logits"], {"input_ids": np.array([tokens[i] for i in batch], np.int64)}
            )[0]
        chances = softmax(logits[:, self._order].astype(np.float64) / self._card.temperature).round(DECIMALS)
        unreadable = [
            text == NOTHING or self._special.issuperset(ids) for text, ids in zip(prepared, tokens, strict=True)
        ]
        chances[unreadable] = NEUTRAL
        return [(negative, neutral, positive) for negative, neutral, positive in chances.tolist()]


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices of posts to be run together: of equal length, shortest first, at most `budget` tokens (or one post)."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    batch: list[int] = []
    for index in order:
        length = lengths[index]
        if batch and (length != lengths[batch[0]] or (len(batch) + 1) * length > budget):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def softmax(logits: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Probabilities (posts, labels). Subtracts the true maximum: the largest by absolute size would overflow."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def load(folder: Path | None = None, threads: int = THREADS) -> TransformerModel:
    """Load a model from its folder, by default the shipped one; takes a second or two and never asks the network.

    Raises:
        ModelError: files are missing or broken.
    """
    card = read_card(folder or default_model_folder())
    # Read when onnxruntime is first imported. Always "1": otherwise it leaves files behind and reports to its makers.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        model = TransformerModel(card, _tokenizer(card.folder), _session(card.folder / "model.onnx", threads))
        model.score(["."])
    except Exception as error:  # the libraries raise what they like, and every cause has the same cure
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"The sentiment model in {card.folder} cannot be loaded ({reason}); its files are broken or of another "
            "kind. Restore the folder or install crisisdesk again."
        ) from error
    return model


def _tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """The folder's fast tokenizer; transformers is told neither to advise nor to ask its hub."""
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from transformers import AutoTokenizer  # noqa: PLC0415  a second of imports that only scoring needs

    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True)


def _session(path: Path, threads: int) -> "InferenceSession":
    """An onnxruntime session on the CPU that leaves the other cores and the idle time to the desk."""
    import onnxruntime  # noqa: PLC0415  loads 20 MB that only scoring needs

    onnxruntime.disable_telemetry_events()  # on Windows the variable alone does not silence its trace events
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(threads, os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads would starve the console
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
