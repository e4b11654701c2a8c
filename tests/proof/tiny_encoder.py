"""What the test of the training has to do with PyTorch; run by an interpreter that has it.

python tiny_encoder.py make FOLDER          an encoder of chance weights for the tokenizer in the folder
python tiny_encoder.py judge FOLDER POSTS   logits, in 32 bits, of the texts in a JSON list, as JSON on stdout
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertConfig, BertForMaskedLM


def make(folder: Path) -> None:
    """An encoder that learnt nothing, saved without a pooler, as what was trained to guess words is."""
    torch.manual_seed(7)
    vocabulary = len(AutoTokenizer.from_pretrained(folder))
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertForMaskedLM(BertConfig(vocab_size=vocabulary, initializer_range=0.1, **shape)).save_pretrained(folder)


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
    {"make": make, "judge": judge}[sys.argv[1]](*map(Path, sys.argv[2:]))
