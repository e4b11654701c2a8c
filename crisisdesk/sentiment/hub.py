"""Fetches models from the Hugging Face hub into its ordinary cache; what is there already is not asked for again."""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from crisisdesk.errors import ModelError
from crisisdesk.sentiment.weights import FORMS, INDEX, lacking, weights_in
from crisisdesk.text import clean

NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(?:/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)
"""What the hub accepts as a name."""

_BESIDES: Final = ("config.json", "README.md", "*tokenizer*.json", "*.txt", "*.model", "vocab.json", "*_tokens*.json")
_BETTER, _OLDER = ((form, form.replace(".", "-*."), form + INDEX) for form in FORMS)
"""The one file, or several and the index that names them."""


def fetch(name: str, *, progress: bool = False) -> Path:
    """The folder of a model of the hub: from the cache where it is complete, else over the network.

    Args:
        name: such as "cardiffnlp/twitter-roberta-base-sentiment".
        progress: let the hub's client draw its bars on stderr.

    Raises:
        ModelError: it cannot be fetched; says why and what to do.
    """
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "0" if progress else "1"
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub.errors import LocalEntryNotFoundError  # noqa: PLC0415  slow, and only this needs it

    try:
        with suppress(LocalEntryNotFoundError):
            return _with_weights(name, local=True)
        return _with_weights(name, local=False)
    except Exception as error:  # the client raises what it and its transport like
        raise ModelError(_why(name, error)) from error


def _with_weights(name: str, *, local: bool) -> Path:
    """Everything but the weights, and those in the better form that there is, whole."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415  see above
    from huggingface_hub.errors import LocalEntryNotFoundError  # noqa: PLC0415

    folder = Path(snapshot_download(name, allow_patterns=[*_BESIDES, *_BETTER], local_files_only=local))
    if not weights_in(folder):
        folder = Path(snapshot_download(name, allow_patterns=[*_BESIDES, *_OLDER], local_files_only=local))
    if local and lacking(folder):  # the client takes what an interrupted download left for all that there is
        raise LocalEntryNotFoundError("not fetched to the end")
    return folder


def _why(name: str, error: Exception) -> str:
    """What went wrong, and the cure."""
    from huggingface_hub import errors  # noqa: PLC0415  see above

    if isinstance(error, errors.GatedRepoError):
        return (
            f"The model {name} is given out only to people who accepted its terms. Accept them on its page on the "
            "Hugging Face hub, then log in here with `hf auth login` or set HF_TOKEN."
        )
    if isinstance(error, errors.RepositoryNotFoundError | errors.HFValidationError):
        return (
            f"The Hugging Face hub knows no model {name}, or keeps it private. Check the name; for a private one log "
            "in with `hf auth login` or set HF_TOKEN; a folder of yours is written with a slash: ./folder"
        )
    if isinstance(error, OSError) and error.errno and not isinstance(error, errors.LocalEntryNotFoundError):
        return f"The model {name} cannot be stored ({error.strerror}); make room, or set HF_HOME to another disk."
    off = isinstance(error.__cause__, errors.OfflineModeIsEnabled)
    cure = "Unset HF_HUB_OFFLINE and check" if off else "Check"
    reason = clean(str(error.__cause__ or error) or type(error).__name__, 160)
    return (
        f"The model {name} is not on this machine, and the Hugging Face hub cannot be reached ({reason}). {cure} the "
        f"connection; without one, run `crisisdesk model import {name} --out FOLDER` on a machine that has one, copy "
        "the folder, and name that as the model."
    )
