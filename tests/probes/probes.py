"""The probe suite: hand-written posts of the kinds that mislead a desk, and the share that a model reads rightly."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crisisdesk.sentiment.base import Model, Scores
from crisisdesk.sentiment.card import LABELS

POSTS: Final = Path(__file__).with_name("posts.tsv")
LANGUAGES: Final = ("en", "de")
PARTS: Final = ("open", "held")
CALMEST_FIRST: Final = ("neutral", "positive", "negative")
COLUMNS: Final = ("lang", "kind", "part", "label", "also", "text")


@dataclass(frozen=True, slots=True)
class Probe:
    """One line of `posts.tsv`; `label` is the best answer, `also` a second one that passes, or empty."""

    lang: str
    kind: str
    part: str
    label: str
    also: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model makes of a probe."""

    probe: Probe
    scores: Scores

    @property
    def label(self) -> str:
        """The likeliest mood; of equals the calmer one, as everywhere in the desk."""
        return max(CALMEST_FIRST, key=lambda label: self.scores[LABELS.index(label)])

    @property
    def passes(self) -> bool:
        """Whether a careful reader could have said the same."""
        return self.label in (self.probe.label, self.probe.also)


def read(path: Path = POSTS) -> list[Probe]:
    """All probes, in the order of the file.

    Raises:
        ValueError: a line has more or fewer columns than the header.
    """
    header, *lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    if tuple(header.split("\t")) != COLUMNS:
        raise ValueError(f"{path}:1: the header must be {' '.join(COLUMNS)}, separated by tabs.")
    for number, line in enumerate(lines, start=2):
        if line.count("\t") != len(COLUMNS) - 1:
            raise ValueError(
                f"{path}:{number}: must have {len(COLUMNS)} columns, separated by tabs; also may be empty."
            )
    return [Probe(*line.split("\t")) for line in lines]


def ask(model: Model, probes: Sequence[Probe]) -> list[Answer]:
    """What `model` makes of each probe, in order."""
    return [Answer(*pair) for pair in zip(probes, model.score([probe.text for probe in probes]), strict=True)]


def share(answers: Sequence[Answer]) -> float:
    """The share that passes, 0 to 1; `nan` of none."""
    return sum(answer.passes for answer in answers) / len(answers) if answers else float("nan")


def table(answers: Sequence[Answer]) -> str:
    """Percent that pass: a row for each kind and for all, columns for languages, parts and true labels."""
    kinds = dict.fromkeys(answer.probe.kind for answer in answers)
    groups = {kind: [answer for answer in answers if answer.probe.kind == kind] for kind in kinds}
    names = ("posts", "all", *LANGUAGES, *PARTS, *LABELS)
    rows = [names, *map(_cells, groups.values()), _cells(answers)]
    return "\n".join(
        f"{first:<18}" + "".join(f"{cell:>{max(6, len(name) + 2)}}" for name, cell in zip(names, cells, strict=True))
        for first, cells in zip(("percent that pass", *groups, "all"), rows, strict=True)
    )


def _cells(answers: Sequence[Answer]) -> tuple[str, ...]:
    columns = (("lang", LANGUAGES), ("part", PARTS), ("label", LABELS))
    subsets = (
        [answer for answer in answers if getattr(answer.probe, column) == value]
        for column, values in columns
        for value in values
    )
    return (str(len(answers)), *(f"{share(subset):.0%}" if subset else "-" for subset in (answers, *subsets)))


def failures(answers: Sequence[Answer]) -> str:
    """The probes of the open part that fail, one a line; of the held part nobody is to see more than the share."""
    missed = [answer for answer in answers if answer.probe.part == "open" and not answer.passes]
    return "\n".join(
        f"{probe.kind:<10}{probe.lang:<4}{'/'.join(filter(None, (probe.label, probe.also))):<18} not {answer.label:<9}"
        f"{' '.join(f'{chance:.2f}' for chance in answer.scores)}  {probe.text}"
        for answer in missed
        for probe in [answer.probe]
    )
