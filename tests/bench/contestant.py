"""One of the programs that the speed benchmark compares: `python contestant.py NAME POSTS.json`.

Loads, warms up and says that it is ready. Then every line on its input is an order, answered by a line of JSON: "run"
scores all posts, "alone" some of them one by one, "copies" all from the cache; "lengths" counts their tokens.
"""
# ruff: noqa: PLC0415  each program loads only what it needs: its memory is measured

import gc
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

THREADS = 2
BATCH = 32
ROBERTA_VOCABULARY = 50_265
PIECES = 4_000
"""Of the byte pairs learnt here. RoBERTa's own vocabulary, which cannot be had without its hub, makes 22.7 tokens of a
post of the case (measured with GPT-2's published pairs, which it shares), 37.6 with padding in batches of 32. As many
pieces as this, learnt from the case's other posts, make 21.7 and 37.9."""
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]

Score = Callable[[list[str]], object]


def ours(_: list[str]) -> tuple[Score, Any]:
    """The shipped model as the desk uses it, without the memory for copies."""
    from crisisdesk.sentiment.transformer import load

    model = load(threads=THREADS)
    return model.score, model._tokenizer


def roberta(corpus: list[str]) -> tuple[Score, Any]:
    """What people reach for today, with random weights: speed does not depend on them."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaForSequenceClassification

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=PIECES, min_frequency=2, show_progress=False, special_tokens=SPECIAL, initial_alphabet=alphabet
    )
    backend.train_from_iterator(corpus, trainer)
    backend.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    names = ("bos_token", "pad_token", "eos_token", "unk_token", "mask_token")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, model_max_length=512, **dict(zip(names, SPECIAL, strict=True))
    )
    config = RobertaConfig(vocab_size=ROBERTA_VOCABULARY, max_position_embeddings=514, type_vocab_size=1, num_labels=3)
    return pipeline(RobertaForSequenceClassification, config, tokenizer)


def unquantised(_: list[str], **other: int) -> tuple[Score, Any]:
    """A network of the shipped model's size (but for `other`) and words in 32 bits, the way transformers runs it."""
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    from crisisdesk.sentiment.card import default_model_folder

    folder = str(default_model_folder())
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    config = AutoConfig.from_pretrained(folder, local_files_only=True, **other)
    return pipeline(AutoModelForSequenceClassification.from_config, config, tokenizer)


def pipeline(kind: Callable[[Any], Any], config: Any, tokenizer: Any) -> tuple[Score, Any]:
    import torch
    from transformers import pipeline as make

    torch.set_num_threads(THREADS)
    torch.manual_seed(2008)
    run = make("sentiment-analysis", model=kind(config).eval(), tokenizer=tokenizer, batch_size=BATCH, device="cpu")
    return run, tokenizer.backend_tokenizer


CONTESTANTS: dict[str, Callable[[list[str]], tuple[Score, Any]]] = {
    "ours": ours,
    "roberta": roberta,
    "unquantised": unquantised,
    "six layers": partial(unquantised, num_hidden_layers=6),
}


def forget(tokenizer: Any) -> None:
    """Clear what a tokenizer remembers of the words that it has seen, where it does."""
    getattr(tokenizer.model, "_clear_cache", lambda: None)()
    gc.collect()


def lengths(tokenizer: Any, posts: list[str], *, prepared: bool) -> dict[str, float]:
    """Mean tokens of a post, alone and as it is run."""
    from crisisdesk.sentiment.prepare import prepare

    posts = [prepare(post) for post in posts] if prepared else posts
    tokenizer.no_padding()
    found = [len(post.ids) for post in tokenizer.encode_batch(posts)]
    groups = [found[n : n + BATCH] for n in range(0, len(found), BATCH)]
    padded = found if prepared else [max(group) for group in groups for _ in group]
    return {"tokens": sum(found) / len(found), "run": sum(padded) / len(padded)}


def memory() -> float | None:
    """The largest memory of this process so far in MB; None where there is no way to know."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), None)


def timed(work: Callable[[], object]) -> dict[str, float | None]:
    began, used = time.perf_counter(), time.process_time()
    work()
    return {"seconds": time.perf_counter() - began, "cpu": time.process_time() - used, "memory": memory()}


def alone(score: Score, posts: list[str]) -> list[float]:
    return [float(timed(lambda text=text: score([text]))["seconds"] or 0) for text in posts]


def copies(posts: list[str]) -> dict[str, float | None]:
    from crisisdesk.sentiment.cached import Cached
    from crisisdesk.sentiment.transformer import load

    cached = Cached(load(threads=THREADS))
    cached.score(posts)
    return timed(lambda: cached.score(posts))


def main() -> None:
    name, path = sys.argv[1:]
    posts, others = json.loads(Path(path).read_text(encoding="utf-8"))
    score, tokenizer = CONTESTANTS[name](others)
    score(posts[:64])
    answers: dict[str, Callable[[], object]] = {
        "run": lambda: timed(lambda: score(posts)),
        "alone": lambda: alone(score, posts[:300]),
        "copies": lambda: copies(posts),
        "lengths": lambda: lengths(tokenizer, posts, prepared=name == "ours"),
    }
    print(json.dumps("ready"), flush=True)
    for order in sys.stdin:
        forget(tokenizer)
        print(json.dumps(answers[order.strip()]()), flush=True)


if __name__ == "__main__":
    main()
