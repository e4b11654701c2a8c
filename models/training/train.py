"""Fine-tune an encoder for negative / neutral / positive on the posts that `prepare.py` wrote.

    python models/training/train.py --data runs/data --base FOLDER --out runs/model [--soft runs/soft.npz] [--passes 1]

`--base` may be the result of an earlier run, which is then trained further. With `--soft` (from `soften.py`) the model
also learns from the judgement of others, and so from posts that nobody labelled. What is saved is the running mean of
the weights. A checkpoint is written every few minutes; the same command continues from it.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from loop import CHECKPOINT_SECONDS, MAX_TOKENS, SEED, Batch, Lesson, Run, device, steps
from posts import LABELS, Post, existing_folder, read_posts, read_rows
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerBase

from crisisdesk.sentiment.prepare import prepare
from crisisdesk.text import clean

SMOOTHING: Final = 0.05


def read_rehearsal(path: Path) -> list[Post]:
    """The made-up posts of `rehearse.py`, prepared like real ones."""
    return [
        Post(row["lang"], row["source"], LABELS.index(row["label"]), prepare(clean(row["text"])))
        for row in read_rows(path)
    ]


def target(post: Post, soft: np.ndarray | None, trust: float) -> np.ndarray | None:
    """What is to be learnt of a post (3,): its label, smoothed, mixed with the judgement of others, or None."""
    if post.label is None:
        return soft
    hard = np.full(len(LABELS), SMOOTHING / len(LABELS), np.float32)
    hard[post.label] += 1 - SMOOTHING
    return hard if soft is None else trust * soft + (1 - trust) * hard


def as_lessons(
    posts: Sequence[Post], tokenizer: PreTrainedTokenizerBase, soft: dict[str, np.ndarray], trust: float
) -> list[Lesson]:
    """Posts that there is something to learn from, tokenised."""
    targets = [target(post, soft.get(post.text), trust) for post in posts]
    usable = [(post.text, wanted) for post, wanted in zip(posts, targets, strict=True) if wanted is not None]
    ids = tokenizer([text for text, _ in usable], truncation=True, max_length=MAX_TOKENS)["input_ids"]
    return [Lesson(one, wanted) for one, (_, wanted) in zip(ids, usable, strict=True)]


def class_weights(posts: Sequence[Post], power: float) -> torch.Tensor:
    """Weights (3,) that lift rare classes: inverse frequency to the given power, mean 1 over the labelled posts.

    Full weights (power 1) buy a negative recall of 0.9 with a neutral recall of 0.5: false alarms. Half is enough.
    """
    counts = np.bincount([post.label for post in posts if post.label is not None], minlength=len(LABELS))
    weights = (counts.sum() / counts) ** power
    return torch.tensor(weights / (weights * counts).sum() * counts.sum(), dtype=torch.float32)


def read_lessons(args: argparse.Namespace, tokenizer: PreTrainedTokenizerBase) -> tuple[list[Lesson], torch.Tensor]:
    """Everything to learn from, and the weights of the classes."""
    labelled = read_posts(args.data, "train")
    posts = [post for post in labelled for _ in range(args.german if post.lang == "de" else 1)]
    soft: dict[str, np.ndarray] = {}
    if args.soft:
        for path in args.soft:
            saved = np.load(path)
            soft.update(zip(saved["texts"].tolist(), saved["chances"], strict=True))
        posts += read_posts(args.data, "unlabelled")
    if args.rehearsal:
        posts += read_rehearsal(args.rehearsal)
    return as_lessons(posts, tokenizer, soft, args.trust), class_weights(labelled, args.weight_power)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("runs/data"))
    parser.add_argument("--rehearsal", type=Path, help="made-up posts from rehearse.py")
    parser.add_argument("--soft", type=Path, nargs="+", help="the judgement of other models, from soften.py")
    parser.add_argument("--trust", type=float, default=0.5, help="share of that judgement where there is a label")
    parser.add_argument("--base", type=existing_folder, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/model"))
    parser.add_argument("--passes", type=float, default=1)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--weight-power", type=float, default=0.5)
    parser.add_argument("--german", type=int, default=1, help="how often a labelled German post counts in a pass")
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
    lessons, weights = read_lessons(args, tokenizer)
    weights = weights.to(model.device)

    def loss_of(batch: Batch) -> torch.Tensor:
        logits = model(input_ids=batch.ids, attention_mask=batch.mask).logits.float()
        return -(batch.targets * weights * logits.log_softmax(dim=-1)).sum(dim=-1).mean()

    args.out.mkdir(parents=True, exist_ok=True)
    print(f"{len(lessons):,} posts a pass, {np.mean([len(lesson.ids) for lesson in lessons]):.1f} tokens a post")
    total, checkpoint = steps(lessons, args.passes), args.out / "checkpoint.pt"
    run = Run(model, loss_of, args.rate, total, checkpoint, seconds=args.checkpoint_seconds)
    run.go(lessons, tokenizer.pad_token_id)
    run.mean.save_pretrained(args.out)
    tokenizer.save_pretrained(args.out)
    run.forget()
    print(f"saved {args.out}")


if __name__ == "__main__":
    main()
