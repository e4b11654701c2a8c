"""The mean of the weights of several models that were trained on from the same one: steadier than each of them.

    python models/training/blend.py runs/3 runs/4 --out runs/mean

Wortsman et al. 2022, "Model soups", <https://arxiv.org/abs/2203.05482>. Tokenizer and configuration are those of the
first folder.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
from posts import existing_folder
from safetensors.numpy import load_file, save_file


def words_of(folder: Path) -> tuple[bytes, object]:
    """What the numbers that go in and come out mean: word pieces and labels."""
    labels = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("id2label")
    return (folder / "tokenizer.json").read_bytes(), labels


def mean_of(folders: list[Path]) -> dict[str, np.ndarray]:
    """The mean of all weights, by name.

    Raises:
        SystemExit: the models are not of one kind.
    """
    models = [load_file(folder / "model.safetensors") for folder in folders]
    kinds = [
        ({name: part.shape for name, part in model.items()}, words)
        for model, words in zip(models, map(words_of, folders), strict=True)
    ]
    if any(other != kinds[0] for other in kinds):
        raise SystemExit(
            f"{', '.join(map(str, folders))} are not of one kind: only models of one shape, words and labels "
            "have a mean."
        )
    return {name: np.mean([model[name] for model in models], axis=0, dtype=np.float32) for name in models[0]}


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=existing_folder)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    if args.out.exists():
        raise SystemExit(f"{args.out} is there already: give a new folder, or delete it.")
    mean = mean_of(args.models)
    shutil.copytree(args.models[0], args.out)
    save_file(mean, args.out / "model.safetensors", metadata={"format": "pt"})
    print(f"saved {args.out}")


if __name__ == "__main__":
    main()
