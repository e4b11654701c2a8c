"""What the labels of any classifier mean here: each is negative, neutral or positive. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from crisisdesk.errors import ModelError, UsageError
from crisisdesk.text import clean

LABELS: Final = ("negative", "neutral", "positive")
"""The order of every `Scores`."""
UNCLEAR: Final = "?"
"""Stands for the meaning of a label that only a person can place."""
SHOWN: Final = 8
"""Labels that a message spells out; a model can have thousands."""

_USUAL: Final = {
    "negative": ("negative", "neg", "negativ"),
    "neutral": ("neutral", "neu"),
    "positive": ("positive", "pos", "positiv"),
}
_MEANING: Final = {spelling: mood for mood, spellings in _USUAL.items() for spelling in spellings}
_DEGREE: Final = re.compile(r"^(?:very|sehr)[ _-]+")
_NUMBERED: Final = ("label_0", "label_1", "label_2")
_STARS: Final = re.compile(r"([1-5])[ _-]?(?:stars?|sterne?)")
_OF_STARS: Final = ("", "negative", "negative", "neutral", "positive", "positive")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


def placed(labels: Sequence[str], given: Mapping[str, str] | None = None, model: str = "the model") -> tuple[str, ...]:
    """What each label means.

    Understood are negative, neg, negativ, neutral, neu, positive, pos, positiv in any case, also with "very" or "sehr"
    before them; exactly LABEL_0, LABEL_1, LABEL_2 as negative, neutral, positive; and "1 star" to "5 stars": two
    negative, one neutral, two positive. Two labels will do: then nothing is neutral.

    Args:
        labels: in the order of the model's outputs.
        given: what a person says that they mean; it goes before what is usual, and may leave out what is.
        model: what messages call it.

    Returns:
        One of `LABELS` for each label, or `UNCLEAR`.

    Raises:
        ModelError: `given` names a label that the model has not or a meaning that there is not.
    """
    given = _matched(labels, given or {}, model)
    usual = _usual(labels)
    return tuple(given.get(label) or usual.get(label, UNCLEAR) for label in labels)


def require_clear(labels: Sequence[str], means: Sequence[str], model: str) -> None:
    """Make sure that a model with these labels can judge.

    Args:
        labels: in the order of the model's outputs.
        means: what `placed` gave.
        model: what messages call it.

    Raises:
        ModelError: not all are placed, none is negative or all are; says what to write.
    """
    if unclear := [label for label, mood in zip(labels, means, strict=True) if mood == UNCLEAR]:
        raise ModelError(
            f"What the labels of {clean(model, 200)} mean is not clear: it has {_listed(labels)}, and "
            f"{_listed(unclear)} can mean anything. {_cure(labels, means)}"
        )
    if not {"negative"} < set(means):
        raise ModelError(
            f"Of the labels of {clean(model, 200)} ({_listed(labels)}), {'all mean' if means else 'none means'} "
            f"{' or '.join(dict.fromkeys(means)) or 'anything'}; needed is one that means negative and one that does "
            f"not. {_cure(labels, means)}"
        )


def parse_labels(text: str) -> dict[str, str]:
    """Read "LABEL_0=negative,LABEL_1=neutral", the value of `--labels`.

    Raises:
        UsageError: a part is no label=meaning, or its meaning is none; names the nearest.
    """
    found: dict[str, str] = {}
    for part in text.removesuffix(",").split(","):
        label, equals, mood = (piece.strip() for piece in part.rpartition("="))
        if not (label and equals and mood):
            raise UsageError(
                f"--labels: '{clean(part, 60)}' is no label=meaning; write it like "
                '--labels "LABEL_0=negative,LABEL_1=neutral,LABEL_2=positive".'
            )
        if mood not in LABELS:
            raise UsageError(f"--labels: '{clean(label, 60)}' cannot mean '{clean(mood, 60)}'; {_nearest(mood)}")
        found[label] = mood
    return found


def _usual(labels: Sequence[str]) -> dict[str, str]:
    """What the usual spellings among the labels mean; numbers and stars only where they are complete."""
    plain = [" ".join(label.casefold().split()) for label in labels]
    if tuple(plain) == _NUMBERED:
        return dict(zip(labels, LABELS, strict=True))
    stars = [_STARS.fullmatch(label) for label in plain]
    if sorted(found[1] for found in stars if found) == list("12345") and len(labels) == 5:
        return {label: _OF_STARS[int(found[1])] for label, found in zip(labels, stars, strict=True) if found}
    known = {label: _MEANING.get(_DEGREE.sub("", spelling)) for label, spelling in zip(labels, plain, strict=True)}
    return {label: mood for label, mood in known.items() if mood}


def _matched(labels: Sequence[str], given: Mapping[str, str], model: str) -> dict[str, str]:
    """`given` under the model's own spelling of its labels."""
    own = {label.casefold(): label for label in labels}
    matched: dict[str, str] = {}
    for name, mood in given.items():
        label = name if name in labels else own.get(name.casefold())
        if label is None:
            near = get_close_matches(name, labels, n=1)
            hint = f"did you mean '{clean(near[0], 60)}'?" if near else f"it has {_listed(labels)}."
            raise ModelError(f"{clean(model, 200)} has no label '{clean(name, 60)}'; {hint}")
        if mood not in LABELS:
            raise ModelError(
                f"The label '{clean(name, 60)}' of {clean(model, 200)} is said to mean '{clean(mood, 60)}'; "
                f"{_nearest(mood)}"
            )
        matched[label] = mood
    return matched


def _nearest(mood: str) -> str:
    """The cure for a mood that there is not."""
    usual = _MEANING.get(mood.casefold())
    near = [usual] if usual else get_close_matches(mood.casefold(), LABELS, n=1)
    return f"did you mean '{near[0]}'?" if near else f"write {', '.join(LABELS[:-1])} or {LABELS[-1]}."


def _cure(labels: Sequence[str], means: Sequence[str]) -> str:
    """The exact setting to write, with a "?" for what only a person can know."""
    pairs = [(clean(label, 60), mood) for label, mood in zip(labels, means, strict=True)][:SHOWN]
    dots = ", …" if len(labels) > SHOWN else ""
    table = ", ".join(f'{_key(label)} = "{mood}"' for label, mood in pairs)
    option = ",".join(f"{label}={mood}" for label, mood in pairs)
    return (
        f"Its card says what they mean. Write that with negative, neutral or positive for each ?: in [desk] of the "
        f"configuration model_labels = {{ {table}{dots} }}, or with --model or model import "
        f'--labels "{option}{dots}"'
    )


def _key(label: str) -> str:
    return label if _BARE_KEY.fullmatch(label) else json.dumps(label, ensure_ascii=False)


def _listed(labels: Sequence[str]) -> str:
    shown = ", ".join(clean(label, 60) for label in labels[:SHOWN])
    return f"{shown} and {len(labels) - SHOWN} more" if len(labels) > SHOWN else shown or "none"
