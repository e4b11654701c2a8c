"""Write the rehearsal corpus: posts made from hand-written frames, for what labelled tweets hardly teach.

    python models/training/rehearse.py --out runs/rehearsal.tsv.gz [--count 12000] [--seed 2008] [--avoid FILE ...]

Irony, emoji, negation, shouting, harm told calmly, quoted anger, both languages mixed, trouble that is not about the
brand, everyday anger and praise: one file of frames for each kind and language in `rehearsal/`, whose README says how
to write more. The output is tab-separated with the header `lang source label text kind`. The same arguments give the
same bytes; every kind has as many posts of each label and language, and all that is put around a frame (openers,
closings, names, typos) is drawn without a look at the label, so that only the frame can give it away. `--avoid` names
labelled files (tab-separated, with a `text` column) whose posts must not be among them: what is measured on.
"""

import argparse
import gzip
import itertools
import random
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

FOLDER: Final = Path(__file__).parent / "rehearsal"
LANGUAGES: Final = ("en", "de")
MARKS: Final = {"-": "negative", "=": "neutral", "+": "positive"}
SHARES: Final = {
    "irony": 2,
    "emoji": 1,
    "negation": 1,
    "shouting": 1,
    "harm": 1,
    "quoted": 1,
    "mixed": 1,
    "aside": 1,
    "everyday": 2,
}
"""How much of the corpus each kind gets, in parts."""
TRIES: Final = 60
"""Attempts at a new wording of a frame before it counts as used up."""
STEADY: Final = ("brand", "dur")
"""Slots that keep their word throughout a post: it speaks of one brand (`rival` is the other), one span of time."""
UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
Slots: TypeAlias = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the corpus."""

    lang: str
    label: str
    kind: str
    text: str
    source: str = "rehearsal"


def read_slots(lang: str) -> dict[str, list[str]]:
    """The words for `{slot}` by name: those of both languages and those of `lang`."""
    tables = tomllib.loads((FOLDER / "slots.toml").read_text(encoding="utf-8"))
    return {**tables["both"], **tables[lang]}


def read_texts(path: Path) -> list[str]:
    """The posts of a labelled file, `.gz` or not; raises SystemExit if it has no column `text`."""
    content = path.read_bytes()
    lines = (gzip.decompress(content) if path.suffix == ".gz" else content).decode().split("\n")
    if "text" not in (header := lines[0].rstrip("\r").split("\t")):
        raise SystemExit(f"{path}:1: no column `text`; give a tab-separated file with a header.")
    return [line.rstrip("\r").split("\t")[header.index("text")] for line in lines[1:] if line]


def read_frames(path: Path) -> dict[str, list[str]]:
    """Frames by label; raises SystemExit with file and line for a line without a label mark."""
    frames: dict[str, list[str]] = {label: [] for label in MARKS.values()}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        mark, _, frame = line.partition(" ")
        if mark not in MARKS or not frame:
            raise SystemExit(f"{path}:{number}: no label; begin the line with one of {' '.join(MARKS)} and a space.")
        frames[MARKS[mark]].append(frame)
    return frames


def fill(frame: str, slots: Slots, rng: random.Random) -> str:
    """A post from a frame: every `[this|that]` and `{slot}` chosen, from the inside out; KeyError for no such slot."""
    while (found := re.search(r"\[([^\[\]{}]*)\]|\{(\w+)\}", frame)) is not None:
        choices = slots[found[2]] if found[2] else found[1].split("|")
        frame = frame[: found.start()] + rng.choice(choices) + frame[found.end() :]
    return re.sub(r" +(?=[,.!?]( |$))", "", " ".join(frame.split()))


def misspell(text: str, rng: random.Random) -> str:
    """The text with two neighbouring letters inside one of its longer words exchanged."""
    words = list(re.finditer(r"(?<![@#\w])[^\W\d_]{5,}", text))
    if not words:
        return text
    word = rng.choice(words)
    at = rng.randrange(word.start() + 1, word.end() - 2)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def dress(text: str, slots: Slots, rng: random.Random) -> str:
    """The post as people send it: addressed, opened, closed, misspelt, in small letters. Knows nothing of the label."""
    spoken = any(character.isalpha() for character in re.sub(r"[@#]\w+", "", text))
    before = rng.choices(["", "{address} ", "{opener} "], [66, 14, 20 if spoken else 0])[0]
    after = rng.choices(["", " {closing}", " {tag}", " {link}"], [70, 14 if spoken else 0, 10, 6])[0]
    if text[-1].isalnum() and after == " {closing}":
        text += rng.choice([".", ",", "...", " -"])
    elif text[-1] == "." and after != " {closing}":
        text = text[:-1] + rng.choices([".", "", "!", "..."], [50, 34, 8, 8])[0]
    text = fill(before, slots, rng) + (" " if before else "") + text + (" " if after else "") + fill(after, slots, rng)
    if rng.random() < 0.05:
        text = misspell(text, rng)
    if rng.random() < 0.1:
        text = text.translate(UMLAUTS)
    return rng.choices([text, text.lower(), text.upper()], [72, 25, 3])[0]


def make(frame: str, slots: Slots, rng: random.Random) -> str:
    """One post from a frame, filled in and dressed."""
    slots = {**slots, **{name: [fill(f"{{{name}}}", slots, rng)] for name in STEADY}}
    return dress(fill(frame, slots, rng), slots, rng)


def sameness(text: str) -> str:
    """What two posts share that differ in nothing a model could learn from: case, names of accounts, punctuation."""
    text = re.sub(r"https?://\S+", "http", re.sub(r"@\w+", "@user", text.lower()))
    return " ".join(re.findall(r"\w+|[^\w\s.,!]", text))


def write_posts(frames: Sequence[str], count: int, slots: Slots, taken: set[str], rng: random.Random) -> Iterator[str]:
    """Up to `count` texts, the frames taking turns, none that is in `taken`; fewer when all frames are used up."""
    order = rng.sample(frames, len(frames))
    while order and count:
        for frame in list(order)[:count]:
            drawn = (make(frame, slots, rng) for _ in range(TRIES))
            text = next((text for text in drawn if sameness(text) not in taken), None)
            if text is None:
                order.remove(frame)
                continue
            taken.add(sameness(text))
            count -= 1
            yield text


def compose(count: int, seed: int, avoid: Iterable[str] = ()) -> list[Row]:
    """`count` rows in random order, no two alike and none like a text in `avoid`.

    Raises SystemExit when a kind has too few frames for its share.
    """
    rng = random.Random(seed)
    cells = list(itertools.product(SHARES, LANGUAGES, MARKS.values()))
    ends = list(itertools.accumulate(SHARES[kind] for kind, _, _ in cells))
    slots = {lang: read_slots(lang) for lang in LANGUAGES}
    taken = {sameness(text) for text in avoid}
    rows: list[Row] = []
    for (kind, lang, label), end in zip(cells, ends, strict=True):
        path = FOLDER / f"{kind}.{lang}.txt"
        wanted = round(count * end / ends[-1]) - len(rows)
        texts = list(write_posts(read_frames(path)[label], wanted, slots[lang], taken, rng))
        if len(texts) < wanted:
            raise SystemExit(
                f"{path}: only {len(texts)} of {wanted} {label} posts; write more frames or lower --count."
            )
        rows += [Row(lang, label, kind, text) for text in texts]
    rng.shuffle(rows)
    return rows


def save(rows: Sequence[Row], path: Path) -> None:
    """Write the rows as compressed tab-separated lines without quoting, the same bytes for the same rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{row.lang}\t{row.source}\t{row.label}\t{row.text}\t{row.kind}\n" for row in rows]
    content = "".join(["lang\tsource\tlabel\ttext\tkind\n", *lines])
    path.write_bytes(gzip.compress(content.encode(), mtime=0))


def main() -> None:
    """Compose, write, and say how many posts of each kind there are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=2008)
    parser.add_argument("--avoid", nargs="*", type=Path, default=[])
    args = parser.parse_args()
    rows = compose(args.count, args.seed, [text for path in args.avoid for text in read_texts(path)])
    save(rows, args.out)
    for kind in SHARES:
        print(f"{kind:9}", *(f"{lang} {sum(r.kind == kind and r.lang == lang for r in rows):5}" for lang in LANGUAGES))
    print(f"{args.out}: {len(rows):,} posts")


if __name__ == "__main__":
    main()
