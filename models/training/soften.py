"""Let trained models judge all posts, labelled or not, so that a smaller model can learn from their mean.

    python models/training/soften.py --data runs/data --models runs/teacher [MORE ...] [--lang de] --out runs/soft.npz

A model is a folder: one that `train.py` wrote, or a finished one with `model.onnx`. With `--lang` posts of that
language only, for a teacher that is better there alone.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from posts import existing_folder, read_posts
from tqdm import tqdm  # type: ignore[import-untyped]
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from crisisdesk.sentiment.transformer import load

MAX_TOKENS = 64
BATCH = 64


def chances_of_finished(folder: Path, texts: list[str]) -> np.ndarray:
    """Probabilities (posts, 3) by a folder that the desk could use."""
    model = load(folder)
    parts = [model.score(texts[i : i + 2000]) for i in tqdm(range(0, len(texts), 2000), desc=folder.name)]
    return np.array([scores for part in parts for scores in part], np.float32)


def chances_of_trained(folder: Path, texts: list[str]) -> np.ndarray:
    """Probabilities (posts, 3) by a folder that `train.py` wrote."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    ids = tokenizer(texts, truncation=True, max_length=MAX_TOKENS)["input_ids"]
    order = np.argsort([len(one) for one in ids], kind="stable")
    chances = np.zeros((len(texts), model.config.num_labels), np.float32)
    for start in tqdm(range(0, len(order), BATCH), desc=folder.name, mininterval=10):
        some = order[start : start + BATCH]
        batch = tokenizer.pad({"input_ids": [ids[i] for i in some]}, return_tensors="pt")
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        chances[some] = logits.float().softmax(dim=-1).numpy()
    return chances


def main() -> None:
    """Write the mean of all models' probabilities, by text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("runs/data"))
    parser.add_argument("--models", nargs="+", type=existing_folder, required=True)
    parser.add_argument("--lang", help="judge posts of this language only")
    parser.add_argument("--parts", nargs="+", default=["train", "unlabelled"], help="of what prepare.py wrote")
    parser.add_argument("--out", type=Path, default=Path("runs/soft.npz"))
    args = parser.parse_args()
    texts = list(
        dict.fromkeys(post.text for post in read_posts(args.data, *args.parts) if args.lang in (None, post.lang))
    )
    judged = [
        (chances_of_finished if (folder / "model.onnx").exists() else chances_of_trained)(folder, texts)
        for folder in args.models
    ]
    np.savez(args.out, texts=np.array(texts), chances=np.mean(judged, axis=0))
    print(f"{len(texts):,} posts judged by {len(judged)} models: {args.out}")


if __name__ == "__main__":
    main()
