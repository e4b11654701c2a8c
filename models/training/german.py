r"""Give the German posts more weight: repeat the best sets, and add weakly labelled and unlabelled posts.

    python models/training/german.py WEAK_DE.tsv.gz --data runs/data --out runs/german \
        --repeat sb10k=3 potts=2 --add flausch2025:kind=4000 germeval2018:offensive=2890

A weak label is read as a mood where that is safe: what is called offensive is negative, what is called kind is
positive. The others lend their words, and the judgement of `soften.py` upon them.
"""

import argparse
import random
import shutil
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from posts import LABELS, Post, as_read, existing_folder, read_posts, read_rows, write_posts

SEED: Final = 1
MOODS: Final = {"offensive": LABELS.index("negative"), "kind": LABELS.index("positive")}


def numbered(text: str) -> tuple[str, int]:
    """`sb10k=3` as a name and a number."""
    name, _, number = text.partition("=")
    if not number.isdecimal() or not int(number):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=NUMBER, such as sb10k=3")
    return name, int(number)


def by_label(path: Path, known: Iterable[Post]) -> dict[str, list[Post]]:
    """Weak posts that are not known, by `source:label`, in an order that has nothing to do with the file's."""
    seen = {post.text for post in known}
    groups: dict[str, list[Post]] = defaultdict(list)
    for row in read_rows(path):
        text = as_read(row["text"])
        if text not in seen:
            seen.add(text)
            groups[f"{row['source']}:{row['label']}"].append(
                Post(row["lang"], row["source"], MOODS.get(row["label"]), text)
            )
    order = random.Random(SEED)
    for posts in groups.values():
        order.shuffle(posts)
    return groups


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weak", type=Path, help="weakly labelled German posts")
    parser.add_argument("--data", type=existing_folder, default=Path("runs/data"))
    parser.add_argument("--out", type=Path, default=Path("runs/german"))
    parser.add_argument("--repeat", type=numbered, nargs="+", default=[], metavar="SOURCE=TIMES")
    parser.add_argument("--add", type=numbered, nargs="+", default=[], metavar="SOURCE:LABEL=POSTS")
    return parser.parse_args()


def require(path: Path, asked: Iterable[tuple[str, int]], there: Collection[str]) -> None:
    """End with a message if a name that is asked for is not `there`."""
    if unknown := [name for name, _ in asked if name not in there]:
        raise SystemExit(f"{path} has no {', '.join(unknown)}; it has: {', '.join(sorted(there))}")


def main() -> None:
    """Write the parts `train`, `calibration` and `unlabelled`."""
    args = arguments()
    train, calibration = read_posts(args.data, "train"), read_posts(args.data, "calibration")
    weak, repeats = by_label(args.weak, [*train, *calibration]), dict(args.repeat)
    require(args.data, args.repeat, {post.source for post in train})
    require(args.weak, args.add, weak)
    added = [post for name, number in args.add for post in weak[name][:number]]
    posts = [post for post in train for _ in range(repeats.get(post.source, 1))]
    posts += [post for post in added if post.label is not None]
    args.out.mkdir(parents=True, exist_ok=True)
    write_posts(args.out / "train.tsv.gz", posts)
    write_posts(args.out / "unlabelled.tsv.gz", [post for post in added if post.label is None])
    shutil.copyfile(args.data / "calibration.tsv.gz", args.out / "calibration.tsv.gz")
    for source, number in Counter(post.source for post in posts).items():
        print(f"{source}: {number:,} posts")


if __name__ == "__main__":
    main()
