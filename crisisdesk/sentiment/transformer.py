"""A classifier from a Hugging Face folder with its tokenizer: the shipped one in 8 bits, or any that was imported."""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from crisisdesk.errors import ModelError
from crisisdesk.sentiment.base import NEUTRAL, Scores
from crisisdesk.sentiment.card import LABELS, REINSTALL, RESTORE, Card, default_model_folder, read_card
from crisisdesk.sentiment.prepare import NOTHING, prepare
from crisisdesk.text import clean, shorten

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession
    from transformers import PreTrainedTokenizerBase

TOKEN_BUDGET: Final = 1024
"""Tokens of one run of the network: enough to be worth reading the weights for, and its tensors stay near the cache."""
THREADS: Final = 2
"""Runs of the network at a time, one core each: they never wait for each other, as two cores on one run would."""
SPACES: Final = ("\u2581", "\u0120")
"""Pieces that stand for a space before a sign that the model does not know, in SentencePiece and in byte pairs."""
PLAIN: Final = {
    "en": ("English", "we had a good day with friends and the children are happy"),
    "de": ("German", "wir hatten einen guten Tag mit Freunden und die Kinder sind froh"),
}
"""The language, and words that a model of it reads in more than one piece, whatever its pieces are."""
UNSTATED: Final = (
    'If it is made for another language, state that in its config.json: "crisisdesk": {"languages": ["ja"]}. If not: '
)
DECIMALS: Final = 4
"""Kept of a probability: CPUs of different makers agree to about the sixth, and nobody acts on the fifth."""


class Network(Protocol):
    """What computes: a session of onnxruntime, or what stands in for one. Called from several threads."""

    def run(self, output_names: Sequence[str], input_feed: Mapping[str, "NDArray[np.int64]"]) -> Sequence[Any]:
        """Logits (posts, labels) of `input_ids` (posts, tokens)."""


class TransformerModel:
    """Scores posts with a classifier from a folder; made by `load`."""

    def __init__(
        self, card: Card, tokenizer: "PreTrainedTokenizerBase", session: Network, threads: int = THREADS
    ) -> None:
        self._card = card
        self._tokenizer = tokenizer.backend_tokenizer
        self._tokenizer.enable_truncation(card.max_tokens)
        self._tokenizer.no_padding()
        self._session = session
        self._threads = threads
        vocabulary = tokenizer.get_vocab()
        self._mute = frozenset(tokenizer.all_special_ids) | {vocabulary[s] for s in SPACES if s in vocabulary}
        """Tokens that say nothing."""
        self._means = np.array([[mood == label for label in LABELS] for mood in card.means], np.float64)
        """(labels of the model, labels of the desk), ones and zeros."""

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self._card.name

    @property
    def digest(self) -> str:
        """A short fingerprint of its files."""
        return self._card.digest

    @property
    def languages(self) -> tuple[str, ...]:
        """What its card says that it knows."""
        return self._card.languages

    def score(self, texts: Sequence[str]) -> list[Scores]:
        """Probabilities of negative, neutral and positive for each text, in order.

        Any text will do: what is not clean is cleaned, what is too long is cut, and one in which the model can read
        nothing (empty, or only signs that it does not know) is neutral: what nobody can read calls nobody.
        A batch holds posts of one length, so that nothing is padded and a post's scores depend on itself alone.

        Raises:
            ModelError: the network gives no numbers.
        """
        if not texts:
            return []
        prepared = [prepare(clean(text)) for text in texts]
        tokens = [post.ids for post in self._tokenizer.encode_batch_fast(prepared)]
        logits = self._logits(tokens)
        if not np.isfinite(logits).all():
            raise ModelError(f"The model {self.name} answers with what is no number; its files are damaged.")
        chances = (softmax(logits.astype(np.float64) / self._card.temperature) @ self._means).round(DECIMALS)
        unreadable = [text == NOTHING or self._mute.issuperset(ids) for text, ids in zip(prepared, tokens, strict=True)]
        chances[unreadable] = NEUTRAL
        return [(negative, neutral, positive) for negative, neutral, positive in chances.tolist()]

    def try_out(self) -> None:
        """Make sure that it answers, and reads plain words in one of its languages; as far as they are in `PLAIN`.

        Raises:
            ModelError: it does not: then every post would get the same scores. Says why; whoever loads it has the cure.
        """
        known = [PLAIN[language] for language in PLAIN if language in self.languages or not self.languages]
        texts = [text for _, text in known]
        self.score(texts or ["."])
        pieces = [set(post.ids) - self._mute for post in self._tokenizer.encode_batch_fast(texts)]
        if known and all(len(some) < 2 for some in pieces):
            raise ModelError(
                f"The model {shorten(self.name, 60)} in {self._card.folder} reads no word of "
                f"{' or '.join(language for language, _ in known)}, so every post would count alike. "
                f"{'' if self.languages else UNSTATED}Its tokenizer is damaged or another model's."
            )

    def _logits(self, tokens: Sequence[list[int]]) -> "NDArray[np.float32]":
        """What the network says (posts, labels) of each post's tokens."""
        logits = np.zeros((len(tokens), len(self._card.labels)), np.float32)

        def run(batch: list[int]) -> None:
            ids = np.array([tokens[i] for i in batch], np.int64)
            logits[batch] = self._session.run(["logits"], {"input_ids": ids})[0]

        together = list(batches([len(ids) for ids in tokens], TOKEN_BUDGET))
        if len(together) == 1:
            run(together[0])
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(run, together))
        return logits


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices of posts to be run together: of equal length, at most `budget` tokens (or one post).

    Longest first, so that all threads end at about the same time.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
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


def load(
    folder: Path | None = None,
    threads: int = THREADS,
    labels: Mapping[str, str] | None = None,
    cure: str = RESTORE,
) -> TransformerModel:
    """Load a model from its folder, by default the shipped one; takes a second or two and never asks the network.

    Args:
        folder: see `read_card`.
        threads: runs of the network at a time.
        labels: what its labels mean, where a person says so.
        cure: what to do where files of the folder are missing or broken.

    Raises:
        ModelError: files are missing or broken, or what the labels mean is not clear.
    """
    if folder is None:
        folder, cure = default_model_folder(), REINSTALL
    card = read_card(folder, labels, cure)
    card.require_clear()
    # Read when onnxruntime is first imported. Always "1": otherwise it leaves files behind and reports to its makers.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        model = TransformerModel(card, load_tokenizer(card.folder), _session(card.folder / "model.onnx"), threads)
        model.try_out()
    except ModelError as error:
        raise ModelError(f"{error} {cure}") from error
    except Exception as error:  # the libraries raise what they like, and every cause has the same cure
        reason = clean(str(error) or type(error).__name__, 200)
        raise ModelError(
            f"The sentiment model in {card.folder} cannot be loaded ({reason}); its files are broken or of another "
            f"kind. {cure}"
        ) from error
    return model


def load_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """The folder's fast tokenizer; transformers is told neither to advise, nor to ask its hub, nor to run its code."""
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from transformers import AutoTokenizer  # noqa: PLC0415  a second of imports that only scoring needs

    # Left unsaid, transformers asks on the terminal whether to run code that a model brings, and reads the answer from
    # standard input, where posts may come.
    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)


def _session(path: Path) -> "InferenceSession":
    """An onnxruntime session on the CPU that computes in the thread that calls it, and may be called from several."""
    import onnxruntime  # noqa: PLC0415  loads 20 MB that only scoring needs

    onnxruntime.disable_telemetry_events()  # on Windows the variable alone does not silence its trace events
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
