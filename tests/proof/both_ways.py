"""Scores posts with models on PyTorch, then imports them: python both_ways.py POSTS FOLDER... Needs PyTorch.

Prints a JSON object: for each folder the scores of all posts together and alone, in the order of the file.
"""

import json
import sys
from pathlib import Path

from crisisdesk.cli.main import run
from crisisdesk.sentiment import choose


def both_ways(folder: str, posts: list[str]) -> dict[str, object]:
    """What PyTorch says, and how the import ended."""
    model = choose.load(choose.find(folder))
    together, alone = model.score(posts), [model.score([post])[0] for post in posts]
    return {"name": model.name, "together": together, "alone": alone, "import": run(["model", "import", folder])}


if __name__ == "__main__":
    file, *folders = sys.argv[1:]
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    stdout, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps({folder: both_ways(folder, lines) for folder in folders}), file=stdout)
