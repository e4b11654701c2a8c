"""Read labelled posts, hold out a calibration slice, and write token ids for `train.py`.

    python models/training/prepare.py TRAIN.tsv.gz [MORE.tsv.gz ...] --base FOLDER --out runs/data

The input is tab-separated with a header (`lang source label text`), without quoting. See models/README.md for where
each set comes from; the data itself is never part of the project. `--base` is the folder of the pre-trained encoder.
"""

import argparse
import gzip
import json
import random
from pathlib import Path
from typing import Final

import numpy as np
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from crisisdesk.sentiment.prepare import prepare
from crisisdesk.text import clean

LABELS: Final = ("negative", "neutral", "positive")
MAX_TOKENS: Final = 64
CALIBRATION_SHARE: Final = 0.03
SEED: Final = 2008


def read_rows(path: Path) -> list[dict[str, str]]:
    """Every row of a tab-separated file as a dictionary; a `"` is a character like any other."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        header = next(lines).rstrip("\n").split("\t")
        return [dict(zip(header, line.rstrip("\n").split("\t"), strict=True)) for line in lines]


def split(rows: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    """Shuffle with a fixed seed and set the calibration slice apart; equal texts stay on one side."""
    by_text: dict[str, dict[str, str]] = {}
    for row in rows:
        by_text.setdefault(prepare(clean(row["text"])), row)
    items = sorted(by_text.items())
    random.Random(SEED).shuffle(items)
    unique = [{**row, "text": text} for text, row in items]
    cut = int(len(unique) * CALIBRATION_SHARE)
    return {"calibration": unique[:cut], "train": unique[cut:]}


def save(path: Path, rows: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase) -> None:
    """Write posts as `tokens` (one after the other), and by post `lengths`, `labels` and `german`."""
    ids = tokenizer([row["text"] for row in rows], truncation=True, max_length=MAX_TOKENS)["input_ids"]
    np.savez(
        path,
        tokens=np.concatenate([np.asarray(row, np.int32) for row in ids]),
        lengths=np.asarray([len(row) for row in ids], np.int32),
        labels=np.asarray([LABELS.index(row["label"]) for row in rows], np.int64),
        german=np.asarray([row["lang"] == "de" for row in rows]),
    )
    print(f"{path.stem}: {len(rows):,} posts, {sum(map(len, ids)):,} tokens")


def main() -> None:
    """Tokenise both parts and save them with a note of what went in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--base", required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/data"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(args.base)
    rows = [row for path in args.files for row in read_rows(path)]
    for name, part in split(rows).items():
        save(args.out / f"{name}.npz", part, tokenizer)
    (args.out / "about.json").write_text(json.dumps({"files": [p.name for p in args.files], "seed": SEED}))


if __name__ == "__main__":
    main()
