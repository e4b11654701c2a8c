"""The logits of a trained classifier in PyTorch; run by an interpreter that has it.

python judge.py FOLDER POSTS             logits of the texts in a JSON list, as JSON on stdout; in 32 bits
python judge.py FOLDER POSTS TRAINING    as training feels them with `--eight-bits`; TRAINING is the scripts' folder
"""

import json
import sys
from functools import partial
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def judge(folder: Path, posts: Path, training: Path | None = None) -> None:
    """Each post alone, as the desk promises."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    say = model
    if training:
        sys.path.insert(0, str(training))
        from rounding import forward_rounded, round_tokens  # noqa: PLC0415 - lies in a folder that is told

        round_tokens(model)
        say = partial(forward_rounded, model)
    with torch.inference_mode():
        texts = json.loads(posts.read_text(encoding="utf-8"))
        encoded = [tokenizer(text, truncation=True, max_length=64, return_tensors="pt") for text in texts]
        print(
            json.dumps(
                [say(**{k: one[k] for k in ("input_ids", "attention_mask")}).logits[0].tolist() for one in encoded]
            )
        )


if __name__ == "__main__":
    judge(*map(Path, sys.argv[1:]))
