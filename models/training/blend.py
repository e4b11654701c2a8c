"""The mean of the weights of several models that were trained on from the same one: steadier than each of them.

    python models/training/blend.py runs/3 runs/4 --out runs/mean

Wortsman et al. 2022, "Model soups", <https://arxiv.org/abs/2203.05482>. Tokenizer and configuration are those of the
first folder.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np
from posts import existing_folder
from safetensors.numpy import load_file, save_file


def mean_of(folders: list[Path]) -> dict[str, np.ndarray]:
    """The mean of all weights, by name.

    Raises:
        SystemExit: the models are not of one shape.
    """
    models = [load_file(folder / "model.safetensors") for folder in folders]
    shapes = [{name: part.shape for name, part in model.items()} for model in models]
    if any(other != shapes[0] for other in shapes):
        raise SystemExit(f"{', '.join(map(str, folders))} are not models of one shape: only such have a mean.")
    return {name: np.mean([model[name] for model in models], axis=0, dtype=np.float32) for name in models[0]}


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=existing_folder)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    mean = mean_of(args.models)
    shutil.copytree(args.models[0], args.out, dirs_exist_ok=True)
    save_file(mean, args.out / "model.safetensors", metadata={"format": "pt"})
    print(f"saved {args.out}")


if __name__ == "__main__":
    main()
