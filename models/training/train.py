"""Fine-tune an encoder for negative / neutral / positive on the posts that `prepare.py` wrote.

    python models/training/train.py --data runs/data --base FOLDER --out runs/model [--soft runs/soft.npz] [--passes 1]

`--base` may be the result of an earlier run, which is then trained further. With `--soft` (from `soften.py`) the model
also learns from the judgement of others, and so from posts that nobody labelled. What is saved is the running mean of
the weights. A checkpoint is written every few minutes; the same command continues from it.
"""

import argparse
import hashlib
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import torch
from loop import CHECKPOINT_SECONDS, MAX_TOKENS, SEED, Batch, Lesson, Run, device, steps
from posts import LABELS, Post, as_read, existing_folder, read_posts, read_rows
from rounding import forward_rounded, round_tokens
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerBase

SMOOTHING: Final = 0.05


def read_rehearsal(path: Path) -> list[Post]:
    """The made-up posts of `rehearse.py`, prepared like real ones."""
    return [
        Post(row["lang"], row["source"], LABELS.index(row["label"]), as_read(row["text"])) for row in read_rows(path)
    ]


def target(post: Post, weights: np.ndarray, soft: np.ndarray | None, trust: float) -> np.ndarray | None:
    """What is to be learnt of a post (3,): its label, smoothed and weighted, mixed with the judgement of others."""
    if post.label is None:
        return soft
    hard = np.full(len(LABELS), SMOOTHING / len(LABELS), np.float32)
    hard[post.label] += 1 - SMOOTHING
    hard *= weights
    return hard if soft is None else trust * soft + (1 - trust) * hard


def class_weights(posts: Iterable[Post], power: float, german: float) -> dict[tuple[str, str], np.ndarray]:
    """For each source and language, weights (3,) that lift its rare classes: inverse frequency to a power.

    By source, since the shares are those of who collected the posts. One that lacks a class keeps weights of 1: it was
    collected for the others. The mean over the posts of a source is 1. In English a power of 1 buys a negative recall
    of 0.9 with a neutral recall of 0.5: false alarms.
    """
    counts: dict[tuple[str, str], np.ndarray] = defaultdict(lambda: np.zeros(len(LABELS), np.float32))
    for post in posts:
        if post.label is not None:
            counts[post.source, post.lang][post.label] += 1
    found = {}
    for (source, lang), number in counts.items():
        lift = 0 if not number.all() else german if lang == "de" else power
        weights = (number.sum() / np.maximum(number, 1)) ** lift
        found[source, lang] = weights * number.sum() / (weights * number).sum()
    return found


def read_lessons(args: argparse.Namespace, tokenizer: PreTrainedTokenizerBase) -> list[Lesson]:
    """Everything there is to learn from, tokenised."""
    posts = read_posts(args.data, "train")
    weights = class_weights(posts, args.weight_power, args.weight_power_german)
    soft: dict[str, np.ndarray] = {}
    for path in args.soft:
        saved = np.load(path)
        soft.update(zip(saved["texts"].tolist(), saved["chances"], strict=True))
    if args.soft:
        posts += read_posts(args.data, "unlabelled")
    if args.rehearsal:
        posts += read_rehearsal(args.rehearsal)
    plain = np.ones(len(LABELS), np.float32)
    targets = [
        target(post, weights.get((post.source, post.lang), plain), soft.get(post.text), args.trust) for post in posts
    ]
    usable = [(post.text, wanted) for post, wanted in zip(posts, targets, strict=True) if wanted is not None]
    ids = tokenizer([text for text, _ in usable], truncation=True, max_length=MAX_TOKENS)["input_ids"]
    return [Lesson(one, wanted) for one, (_, wanted) in zip(ids, usable, strict=True)]


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("runs/data"))
    parser.add_argument("--rehearsal", type=Path, help="made-up posts from rehearse.py")
    parser.add_argument(
        "--soft", type=Path, nargs="+", default=[], help="the judgement of other models, from soften.py"
    )
    parser.add_argument("--trust", type=float, default=0.5, help="share of that judgement where there is a label")
    parser.add_argument("--base", type=existing_folder, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/model"))
    parser.add_argument("--passes", type=float, default=1)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--weight-power", type=float, default=0.4, help="how much rare classes are lifted: 0 to 1")
    parser.add_argument("--weight-power-german", type=float, default=0.8, help="the same for German posts")
    parser.add_argument("--eight-bits", action="store_true", help="feel the rounding of the export; for the last step")
    parser.add_argument("--checkpoint-seconds", type=float, default=CHECKPOINT_SECONDS)
    return parser.parse_args()


def main() -> None:
    """Train, with checkpoints, and save the result as a Hugging Face folder."""
    args = arguments()
    torch.manual_seed(SEED)
    tokenizer = AutoTokenizer.from_pretrained(args.base)
    model = AutoModelForSequenceClassification.from_pretrained(
        args.base,
        num_labels=len(LABELS),
        id2label=dict(enumerate(LABELS)),
        label2id={name: number for number, name in enumerate(LABELS)},
    )
    model = model.to(device()).train()
    lessons = read_lessons(args, tokenizer)

    if args.eight_bits:
        round_tokens(model)
    judge = partial(forward_rounded, model) if args.eight_bits else model

    def loss_of(batch: Batch) -> torch.Tensor:
        logits = judge(input_ids=batch.ids, attention_mask=batch.mask).logits.float()
        return -(batch.targets * logits.log_softmax(dim=-1)).sum(dim=-1).mean()

    args.out.mkdir(parents=True, exist_ok=True)
    print(f"{len(lessons):,} posts a pass, {np.mean([len(lesson.ids) for lesson in lessons]):.1f} tokens a post")
    total, checkpoint = steps(lessons, args.passes), args.out / "checkpoint.pt"
    base = hashlib.sha256((args.base / "model.safetensors").read_bytes()).hexdigest()
    about = f"from {base} in {'8' if args.eight_bits else '32'} bits"
    run = Run(model, loss_of, args.rate, total, checkpoint, about=about, seconds=args.checkpoint_seconds)
    run.go(lessons, tokenizer.pad_token_id)
    run.mean.save_pretrained(args.out)
    tokenizer.save_pretrained(args.out)
    run.forget()
    print(f"saved {args.out}")


if __name__ == "__main__":
    main()
