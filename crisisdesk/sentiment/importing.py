"""Makes of a PyTorch classifier a folder that runs on onnxruntime alone: `crisisdesk model import`."""

import json
import logging
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from crisisdesk.errors import ModelError, UsageError
from crisisdesk.sentiment import torch_model
from crisisdesk.sentiment.base import Scores
from crisisdesk.sentiment.card import Card, read_card
from crisisdesk.sentiment.origin import stated
from crisisdesk.sentiment.transformer import load, load_tokenizer
from crisisdesk.text import clean

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

STEPS: Final = 3
"""Reading, exporting, comparing."""
AS_BEFORE: Final = 0.001
"""Largest change of a probability that the export may bring; sums in another order give some 0.000001."""
ABANDONED: Final = 24 * 3600.0
"""Seconds after which what a killed import left behind is cleared away."""
NOT_KEPT: Final = ("is_local", "local_files_only", "max_length", "stride", "truncation_strategy", "pad_to_multiple_of")
"""Traces in the tokenizer's configuration of how it was loaded."""
SAMPLES: Final = (
    "I hate this ad, it is insulting. Boycott them!",
    "great job @user, three hours on hold",
    "The meeting starts at 3 pm on Monday.",
    "Thanks for the quick help, you are amazing! :)",
    "Schlechter Service, nie wieder!",
    "Der Zug nach Hamburg fährt heute von Gleis 4.",
    "Herzlichen Glückwunsch, einfach super 😀",
    "no",
    "http",
    "wow " * 120,
)
"""Short and long, in both languages: what is compared before and after."""


def import_model(
    source: Path,
    name: str,
    out: Path,
    labels: Mapping[str, str] | None = None,
    step: Callable[[], None] = lambda: None,
) -> Card:
    """Export a classifier into a folder of its own, which appears when it is complete and takes an older one's place.

    Args:
        source: configuration, tokenizer and weights, as Hugging Face's tools wrote or fetched them.
        name: what people call the model.
        out: the folder to make.
        labels: what its labels mean, where a person says so.
        step: called after each of `STEPS` steps.

    Raises:
        ModelError: PyTorch is missing, the source is no classifier, or the copy does not say what the original says.
        UsageError: `out` is something else than a model, or cannot be written.
    """
    torch_model.require_torch(name)
    if lacking := [package for package in ("onnx", "onnxscript") if find_spec(package) is None]:
        raise ModelError(f"The import needs {' and '.join(lacking)}: pip install 'crisisdesk[torch]'.")
    with _new_folder(out) as folder:
        model, network, card = torch_model.parts(source, name, labels)
        before = model.score(SAMPLES)
        step()
        try:
            export(network, card.max_tokens, folder / "model.onnx")
        except Exception as error:  # the exporter raises what it likes
            raise ModelError(
                f"The model {name} cannot be exported ({_reason(error)}). It still runs on PyTorch: name it as the "
                "model without importing it."
            ) from error
        step()
        save_tokenizer(load_tokenizer(source), folder)
        save_config(network, source, card, folder)
        compare(name, before, folder)
        step()
    return read_card(out)


def export(network: "PreTrainedModel", max_tokens: int, path: Path) -> None:
    """Write the graph: `input_ids` (posts, tokens), all posts of one length, to `logits` (posts, labels); 32 bits.

    There is no mask, since nothing is padded; positions and types of tokens are made inside, as the model makes them.
    """
    import torch  # noqa: PLC0415  an extra

    class OnlyIds(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
            return self.network(input_ids=input_ids).logits

    sizes = {0: torch.export.Dim("posts"), 1: torch.export.Dim("tokens", max=max_tokens)}
    example = torch.ones((2, min(max_tokens, 9)), dtype=torch.int64)
    with _silence():
        torch.onnx.export(
            OnlyIds().eval(),
            (example,),
            str(path),
            input_names=["input_ids"],
            output_names=["logits"],
            dynamic_shapes=(sizes,),
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def save_tokenizer(tokenizer: "PreTrainedTokenizerBase", folder: Path) -> None:
    """Write the tokenizer without what loading it left in it."""
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(str(folder))
    path = folder / "tokenizer_config.json"
    kept = {key: value for key, value in json.loads(path.read_text("utf-8")).items() if key not in NOT_KEPT}
    path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def save_config(network: "PreTrainedModel", source: Path, card: Card, folder: Path) -> None:
    """Write the model's configuration with what the desk needs to know besides."""
    config: dict[str, Any] = json.loads(network.config.to_json_string(use_diff=False))
    config.pop("_name_or_path", None)
    config["id2label"] = {str(number): label for number, label in enumerate(card.labels)}
    config["crisisdesk"] = {
        "name": card.name,
        "base": card.name,
        "labels": dict(zip(card.labels, card.means, strict=True)),
        "max_tokens": card.max_tokens,
        "temperature": 1.0,
        **stated(source),
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def compare(name: str, before: Sequence[Scores], folder: Path) -> None:
    """Make sure that the copy says of `SAMPLES` what the original said.

    Raises:
        ModelError: it does not.
    """
    pairs = zip(before, load(folder).score(SAMPLES), strict=True)
    worst = max(abs(one - other) for old, new in pairs for one, other in zip(old, new, strict=True))
    if not worst <= AS_BEFORE:  # also where it is no number at all
        raise ModelError(
            f"The copy of the model {name} differs from the original by up to {worst:.4f} in a probability, so "
            "it was not kept. The original still runs on PyTorch: name it as the model without importing it."
        )


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """A folder to fill that becomes `out` at the end, and vanishes if anything goes wrong before."""
    if out.exists() and not (_is_import(out) or (out.is_dir() and not any(out.iterdir()))):
        raise UsageError(f"{out} exists and is no imported model; it was left as it is. Name another folder for --out.")
    part = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(out)
        part = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent))
        yield part
        part.chmod(0o755)
        _put_in_place(part, out)
    except OSError as error:
        raise UsageError(
            f"{out} cannot be written ({error.strerror or error}); make room or name another --out."
        ) from error
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)


def _is_import(folder: Path) -> bool:
    """Whether the desk made it, so that it may be replaced; other people's folders hold a model.onnx as well."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return (folder / "model.onnx").is_file() and isinstance(config, dict) and "crisisdesk" in config


def _put_in_place(part: Path, out: Path) -> None:
    old = out.with_name(f".{out.name}.old.part")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    try:
        part.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _clear_abandoned(out: Path) -> None:
    """What killed imports left; a younger one may still be at work."""
    for left in out.parent.glob(f".{out.name}.*.part"):
        if time.time() - left.stat().st_mtime > ABANDONED:
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _silence() -> Iterator[None]:
    """The exporter talks to its developers, not to people who import a model."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), Path(os.devnull).open("w") as nobody:
        warnings.simplefilter("ignore")
        with redirect_stdout(nobody), redirect_stderr(nobody):
            yield


def _reason(error: Exception) -> str:
    return clean(" ".join(str(error).split()) or type(error).__name__, 200)
