"""Any classifier of a Hugging Face folder on PyTorch, an extra that the default install leaves out."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from crisisdesk.errors import ModelError
from crisisdesk.sentiment.card import RESTORE, Card, describe
from crisisdesk.sentiment.config import FEWEST_TOKENS, Config, read_config
from crisisdesk.sentiment.origin import stated
from crisisdesk.sentiment.transformer import THREADS, TransformerModel, load_tokenizer
from crisisdesk.sentiment.weights import lacking, weights_in
from crisisdesk.text import clean

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedModel

MAX_TOKENS: Final = 128
"""Read of a post at most: what `prepare` leaves of the longest."""


class TorchNetwork:
    """Stands in for a session of onnxruntime."""

    def __init__(self, network: "PreTrainedModel") -> None:
        self._network = network

    def run(self, _: Sequence[str], input_feed: Mapping[str, "NDArray[np.int64]"]) -> list[Any]:
        """Logits (posts, labels), post by post: PyTorch sums a row unlike in other company, by some 4e-7."""
        import torch  # noqa: PLC0415  an extra

        posts = torch.from_numpy(input_feed["input_ids"])
        with torch.inference_mode():
            return [np.concatenate([self._network(input_ids=post[None]).logits.numpy() for post in posts])]


def require_torch(name: str) -> None:
    """Make sure that PyTorch is installed.

    Raises:
        ModelError: it is not; says how to do without.
    """
    if find_spec("torch") is None:
        raise ModelError(
            f"The model {name} runs on PyTorch, which is not installed here. Install it: "
            "pip install 'crisisdesk[torch]'; or import the model where PyTorch is "
            f"(crisisdesk model import {quote(name)}) and name the folder that this makes as the model: it needs "
            "PyTorch no more, and is faster."
        )


def load(folder: Path, name: str, labels: Mapping[str, str] | None = None, threads: int = THREADS) -> TransformerModel:
    """Load a classifier from the folder that Hugging Face's tools wrote or fetched.

    Args:
        folder: configuration, tokenizer and weights.
        name: what people call it.
        labels: what its labels mean, where a person says so.
        threads: runs of the network at a time.

    Raises:
        ModelError: PyTorch is missing, the folder holds no classifier, or what its labels mean is not clear.
    """
    return parts(folder, name, labels, threads)[0]


def parts(
    folder: Path, name: str, labels: Mapping[str, str] | None = None, threads: int = THREADS
) -> tuple[TransformerModel, "PreTrainedModel", Card]:
    """The model as `load` gives it, and what it is made of."""
    require_torch(name)
    card = torch_card(folder, name, labels)
    card.require_clear()
    try:
        tokenizer = load_tokenizer(folder)
        network = _network(folder)
        length = min(card.max_tokens, int(tokenizer.model_max_length))
        card = torch_card(folder, name, labels, max(length, FEWEST_TOKENS))
        model = TransformerModel(card, tokenizer, TorchNetwork(network), threads)
        model.try_out()
    except ModelError as error:
        raise ModelError(f"{error} Fetch or restore it, or choose another model.") from error
    except Exception as error:  # the libraries raise what they like, and every cause has the same cure
        raise ModelError(
            f"The model {name} cannot be loaded ({_reason(error)}). Its folder {folder} must hold a complete "
            "text classifier as Hugging Face's transformers writes it; fetch it again or choose another model."
        ) from error
    return model, network, card


def torch_card(folder: Path, name: str, labels: Mapping[str, str] | None = None, max_tokens: int = MAX_TOKENS) -> Card:
    """What a folder says about itself, read without PyTorch.

    Raises:
        ModelError: it holds no classifier of texts, or `labels` names what it has not.
    """
    if missing := lacking(folder):
        raise ModelError(
            f"The model {name} has no whole weights for PyTorch: {folder} lacks {clean(', '.join(missing), 200)}. "
            "Fetch or restore them, or choose another model."
        )
    config = read_config(folder, f"{RESTORE[:-1]} or choose another model.")
    _check(config, name)
    places = config.max_position_embeddings or 0
    # RoBERTa and its kin count positions from two on.
    fits = min(max_tokens, places - 2) if places > 2 else max_tokens
    # What counts for a watch hangs on the languages, so a model must state the same before and after its import.
    own = config.own.model_copy(update={"name": name, "base": name, "max_tokens": fits, **stated(folder)})
    config = config.model_copy(update={"own": own})
    weights = weights_in(folder)
    others = sorted(path for path in folder.glob("*") if path.suffix in {".json", ".txt", ".model"})
    deciding = [*weights, *(path for path in others if path.name != "config.json")]
    return describe(folder, config, [path.name for path in {*weights, *others}], deciding, labels)


def _check(config: Config, name: str) -> None:
    """Only one of several labels is right for a post: else the probabilities mean something else."""
    kinds = config.architectures or ("nothing",)
    if not any(kind.endswith("ForSequenceClassification") for kind in kinds):
        raise ModelError(
            f"The model {name} is made for something else ({clean(', '.join(kinds), 100)}), not for classifying texts; "
            "choose a text classifier."
        )
    if config.problem_type not in {None, "single_label_classification"} or len(config.labels) < 2:
        raise ModelError(
            f"The model {name} does not choose one of several labels ({clean(str(config.problem_type), 60)}, "
            f"{len(config.labels)} outputs), so its outputs are no shares of negative, neutral and positive; "
            "choose another text classifier."
        )


def _network(folder: Path) -> Any:  # noqa: ANN401  a PreTrainedModel, but the library types its loader as anything
    """The network with its weights in 32 bits, ready to score, loaded without a word."""
    import torch  # noqa: PLC0415  an extra
    from transformers import AutoModelForSequenceClassification  # noqa: PLC0415  imports PyTorch
    from transformers.utils import logging as chatter  # noqa: PLC0415

    chatter.set_verbosity_error()
    chatter.disable_progress_bar()
    logging.getLogger("torch").setLevel(logging.ERROR)
    torch.set_num_threads(1)  # the runs are what goes side by side
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network, info = AutoModelForSequenceClassification.from_pretrained(
            str(folder),
            local_files_only=True,
            trust_remote_code=False,  # see `load_tokenizer`
            dtype=torch.float32,
            attn_implementation="eager",  # every architecture has it, and its graph is the plainest to export
            output_loading_info=True,
        )
    if missing := sorted(info["missing_keys"]):
        raise ModelError(
            f"The weights in {folder} lack parts of the classifier ({', '.join(missing[:3])}): it was never trained to "
            "classify, or is incomplete."
        )
    return network.eval()


def _reason(error: Exception) -> str:
    return clean(" ".join(str(error).split()) or type(error).__name__, 300)
