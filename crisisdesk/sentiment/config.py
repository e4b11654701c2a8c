"""What the desk reads of a classifier's config.json, which strangers write: each key is checked before it is used."""

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from crisisdesk.errors import ModelError
from crisisdesk.text import clean

MAX_TOKENS: Final = 64
"""What is read of a post where the folder says nothing."""
FEWEST_TOKENS: Final = 8
"""With fewer, hardly a word of a post would be read."""
TOLD: Final = 3
"""Mistakes that a message spells out; a file can have thousands."""

Count = Annotated[int, Field(ge=0, lt=2**53)]
Names = Annotated[tuple[str, ...], Field(strict=False)]
"""A list, which `_unset` hands on as one of Python."""
Share = Annotated[float, Field(ge=0, le=1)]
Label = Annotated[str, Field(strict=False, coerce_numbers_to_str=True)]


class _Part(BaseModel):
    """A part of the file: nothing guessed, and keys of other programs are left to them."""

    model_config = ConfigDict(frozen=True, strict=True, hide_input_in_errors=True)


class Figures(_Part):
    """What `model evaluate` gave on some posts."""

    n: Count
    accuracy: Share | None = None
    macro_recall: Share | None
    macro_f1: Share | None
    recall: dict[str, Share | None] = {}
    ece: Share
    ece_chance: Share | None = None


class Measured(_Part):
    """On all posts together, and by column and value."""

    pooled: Figures | None = None
    by: dict[str, dict[str, Figures]] = {}


class Own(_Part):
    """The part `crisisdesk`: what the desk needs to know besides; all of it may be left out."""

    name: str | None = None
    base: str = "not stated"
    licence: str = "not stated"
    languages: Names = ()
    trained_on: Names = ()
    labels: dict[str, Literal["negative", "neutral", "positive"]] = {}
    max_tokens: int = Field(default=MAX_TOKENS, ge=FEWEST_TOKENS, le=1 << 16)
    temperature: float = Field(default=1.0, ge=0.01, le=100)
    scores: Measured = Measured()


class Config(_Part):
    """The whole file."""

    id2label: dict[str, Label] = {"0": "LABEL_0", "1": "LABEL_1"}
    """Hugging Face's tools take these two where a file names none."""
    architectures: tuple[str, ...] | None = None
    problem_type: str | None = None
    max_position_embeddings: int | None = None
    own: Own = Field(default=Own(), alias="crisisdesk")

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the outputs, in their order."""
        return tuple(self.id2label[str(number)] for number in range(len(self.id2label)))

    @field_validator("id2label", "own", mode="before")
    @classmethod
    def _unset(cls, value: object, info: ValidationInfo) -> object:
        """Hugging Face's tools take null as unset."""
        return cls.model_fields[str(info.field_name)].default if value is None else value

    @model_validator(mode="after")
    def _numbered(self) -> Self:
        if set(self.id2label) != set(map(str, range(len(self.id2label)))):
            raise ValueError("id2label must number the labels from 0 on")
        return self


def read_config(folder: Path, cure: str) -> Config:
    """The configuration of a classifier.

    Args:
        folder: holds `config.json`.
        cure: what to do where that is no such configuration.

    Raises:
        ModelError: it cannot be read, or is of another kind; names each key that is wrong.
    """
    path = folder / "config.json"
    try:
        return Config.model_validate_json(path.read_bytes())
    except ValidationError as error:
        reason = "; ".join(_wrong(error))
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
    raise ModelError(f"{clean(str(path))} is no configuration of a classifier: {reason}. {cure}")


def _wrong(error: ValidationError) -> list[str]:
    """Which keys are wrong, and how."""
    found = [
        f"{clean('.'.join(map(str, one['loc'])), 80)} {one['msg'].removeprefix('Input ').removeprefix('Value error, ')}"
        for one in error.errors(include_input=False)
    ]
    return [one.strip() for one in found[:TOLD]] + ([f"and {len(found) - TOLD} more"] if len(found) > TOLD else [])
