"""From what people write as the model (nothing, a name of the hub, a folder) to the model itself."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from shlex import quote
from typing import Final

from platformdirs import user_data_path

from crisisdesk.errors import ModelError, UsageError
from crisisdesk.sentiment import hub
from crisisdesk.sentiment.base import Model
from crisisdesk.sentiment.card import REINSTALL, RESTORE, SHIPPED, Card, default_model_folder, read_card
from crisisdesk.text import clean

FORMER: Final = "minilm-posts-v1"
"""Came along before."""
PATH_STARTS: Final = (".", "/", "~", "\\")


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen, and where it is; found without loading anything."""

    name: str
    """What people call it."""
    ready: Path | None
    """The folder that runs on onnxruntime; None where there is none."""
    source: Path | None
    """The folder for PyTorch; None where the hub has it, or where there is none."""
    copy: Path
    """Where an import puts it if it is not told otherwise."""
    cure: str = RESTORE
    """What to do where the files of `ready` are missing or broken."""


def imported_models() -> Path:
    """The folder of imported models of the person who runs this."""
    return user_data_path("crisisdesk", appauthor=False) / "models"


def looks_like_a_path(asked: str) -> bool:
    """Whether people mean a folder by it, whether it exists or not."""
    return asked.startswith(PATH_STARTS) or asked.endswith(("/", "\\")) or asked[1:2] == ":"


def find(asked: str | None, home: Path | None = None) -> Choice:
    """Find a model.

    Args:
        asked: None for the shipped one; a folder, relative to the working directory; or a name of the hub.
        home: where imported models are.

    Raises:
        UsageError: there is no such folder, it holds no model, or it is no name.
        ModelError: the folder was changed after it was imported.
    """
    home = home or imported_models()
    if asked is None or asked == SHIPPED:
        folder = default_model_folder()
        return Choice(SHIPPED, folder, None, folder, REINSTALL)
    shown = clean(asked, 200)
    folder = _path(asked)
    if shown and _is_folder(folder):  # an empty text would be the working directory
        return _of_folder(folder, home)
    if looks_like_a_path(asked):
        raise UsageError(f"There is no folder {shown} with a model; check the path.")
    if not hub.NAME.fullmatch(asked):
        raise UsageError(
            f"'{shown}' is no model: write a name of the Hugging Face hub, such as "
            "cardiffnlp/twitter-xlm-roberta-base-sentiment, or a folder with a slash: ./folder"
        )
    copy = home / asked.replace("/", "--")
    if not copy.is_dir() and get_close_matches(asked, [SHIPPED, FORMER], n=1, cutoff=0.8):
        raise UsageError(f"'{shown}' is no model; the one that comes along is {SHIPPED}, and needs no naming.")
    return Choice(asked, copy if copy.is_dir() else None, None, copy, _import_again(asked))


def find_source(asked: str, home: Path | None = None) -> Choice:
    """Find what can be imported, whatever was imported before.

    Raises:
        UsageError: there is no such folder, it is no name, or it needs no import.
    """
    home = home or imported_models()
    folder = _path(asked)
    if asked == SHIPPED or (_is_folder(folder) and (folder / "model.onnx").is_file()):
        raise UsageError(f"{clean(asked, 200)} runs without PyTorch as it is; there is nothing to import.")
    if _is_folder(folder):
        return Choice(clean(folder.resolve().name, 200), None, folder, _copy_of(folder, home))
    choice = find(asked, home)
    return replace(choice, ready=None)


def _of_folder(folder: Path, home: Path) -> Choice:
    """A folder that runs as it is, or one for PyTorch that may have been imported."""
    name = clean(folder.resolve().name, 200)
    if not (folder / "config.json").is_file():
        raise UsageError(f"The folder {clean(str(folder), 200)} holds no model: there is no config.json in it.")
    if (folder / "model.onnx").is_file():
        return Choice(name, folder, None, folder)
    copy = _copy_of(folder, home)
    if not copy.is_dir():
        return Choice(name, None, folder, copy)
    if _newest(folder) > _newest(copy):
        raise ModelError(f"The model in {folder} was changed after it was imported. {_import_again(str(folder))}")
    return Choice(name, copy, folder, copy, _import_again(str(folder)))


def _import_again(asked: str) -> str:
    return f"Import it again: crisisdesk model import {quote(asked)}"


def _path(asked: str) -> Path:
    """What is asked for as a path; the home of a person whom this machine does not know stays as it is written."""
    try:
        return Path(asked).expanduser()
    except RuntimeError:
        return Path(asked)


def _is_folder(path: Path) -> bool:
    """Whether there is one; what can be no path is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _copy_of(folder: Path, home: Path) -> Path:
    """Where the import of a folder goes: folders of one name in different places have different copies."""
    mark = hashlib.sha256(str(folder.resolve()).encode(errors="surrogateescape")).hexdigest()[:8]
    return home / f"{folder.resolve().name}--{mark}"


def _newest(folder: Path) -> float:
    """When a file in it was last written."""
    return max((path.stat().st_mtime for path in folder.iterdir() if path.is_file()), default=0.0)


def check(choice: Choice) -> None:
    """Make sure, without loading it, that a model can run here.

    Raises:
        ModelError: it needs PyTorch, and that is not installed.
    """
    if choice.ready is None:
        from crisisdesk.sentiment.torch_model import require_torch  # noqa: PLC0415  numpy, which a check seldom needs

        require_torch(str(choice.source or choice.name))


def load(choice: Choice, labels: Mapping[str, str] | None = None) -> Model:
    """Load a model, or fetch it first. Takes a second or two, or as long as the network takes.

    Raises:
        ModelError: it cannot be fetched or loaded, or what its labels mean is not clear.
    """
    if choice.ready is not None:
        from crisisdesk.sentiment import transformer  # noqa: PLC0415  slow import

        return transformer.load(choice.ready, labels=labels, cure=choice.cure)
    check(choice)
    from crisisdesk.sentiment import torch_model  # noqa: PLC0415  slow import

    return torch_model.load(choice.source or hub.fetch(choice.name), choice.name, labels)


def card_of(choice: Choice, labels: Mapping[str, str] | None = None, *, progress: bool = False) -> Card:
    """What a model says about itself; fetches it if it is not here, with a bar if `progress`, loads nothing.

    Raises:
        ModelError: it cannot be fetched, or is no classifier.
    """
    if choice.ready is not None:
        return read_card(choice.ready, labels, choice.cure)
    from crisisdesk.sentiment.torch_model import torch_card  # noqa: PLC0415  slow import

    return torch_card(choice.source or hub.fetch(choice.name, progress=progress), choice.name, labels)
