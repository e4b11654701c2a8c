"""Clean and deduplicate labelled posts, hold out a calibration slice, and write what the other scripts read.

    python models/training/prepare.py TRAIN.tsv.gz [MORE.tsv.gz ...] [--unlabelled WEAK.tsv.gz ...] --out runs/data

The input is tab-separated with a header (`lang source label text`), without quoting. See models/README.md for where
each set comes from; the data itself is never part of the project. Posts of `--unlabelled` files lend their words, and
later the judgement of a larger model; their own labels are not used.
"""

import argparse
import random
from collections import Counter
from pathlib import Path
from typing import Final

from posts import LABELS, Post, as_read, read_rows, write_posts

CALIBRATION_SHARE: Final = 0.03
SEED: Final = 2008


def read_clean(paths: list[Path], *, labelled: bool) -> dict[str, Post]:
    """Posts by their prepared text; the first of equal ones counts."""
    found: dict[str, Post] = {}
    for row in (row for path in paths for row in read_rows(path)):
        text = as_read(row["text"])
        if labelled and row["label"] not in LABELS:
            raise SystemExit(f"A post has the label {row['label']!r}, not {', '.join(LABELS)}: {text}")
        label = LABELS.index(row["label"]) if labelled else None
        found.setdefault(text, Post(row["lang"], row["source"], label, text))
    return found


def split(posts: dict[str, Post]) -> tuple[list[Post], list[Post]]:
    """Shuffle with a fixed seed, and set the calibration slice apart: (calibration, train)."""
    items = sorted(posts.items())
    random.Random(SEED).shuffle(items)
    cut = int(len(items) * CALIBRATION_SHARE)
    return [post for _, post in items[:cut]], [post for _, post in items[cut:]]


def main() -> None:
    """Write the parts `train`, `calibration` and `unlabelled`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--unlabelled", nargs="*", type=Path, default=[])
    parser.add_argument("--out", type=Path, default=Path("runs/data"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    labelled = read_clean(args.files, labelled=True)
    calibration, train = split(labelled)
    unlabelled = [p for text, p in read_clean(args.unlabelled, labelled=False).items() if text not in labelled]
    for name, posts in (("calibration", calibration), ("train", train), ("unlabelled", unlabelled)):
        write_posts(args.out / f"{name}.tsv.gz", posts)
        counts = Counter((post.lang, "-" if post.label is None else LABELS[post.label]) for post in posts)
        parts = [f"{lang} {label} {number:,}" for (lang, label), number in sorted(counts.items())]
        print(f"{name}: {len(posts):,} posts", *parts)


if __name__ == "__main__":
    main()
