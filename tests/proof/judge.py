"""The logits of a trained classifier in PyTorch and 32 bits; run by an interpreter that has it.

python judge.py FOLDER POSTS   logits of the texts in a JSON list, as JSON on stdout
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def judge(folder: Path, posts: Path) -> None:
    """Each post alone, as the desk promises."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        texts = json.loads(posts.read_text(encoding="utf-8"))
        encoded = [tokenizer(text, truncation=True, max_length=64, return_tensors="pt") for text in texts]
        print(
            json.dumps(
                [model(**{k: one[k] for k in ("input_ids", "attention_mask")}).logits[0].tolist() for one in encoded]
            )
        )


if __name__ == "__main__":
    judge(*map(Path, sys.argv[1:]))
