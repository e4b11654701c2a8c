"""Ask a model the probe suite: `python tests/probes/run.py [MODEL_FOLDER] [--failures]`."""

import argparse
import sys
from pathlib import Path

from probes import ask, failures, read, table

from crisisdesk.errors import CrisisdeskError
from crisisdesk.sentiment.transformer import load


def main() -> None:
    """Print the table, and the failures of the open part if they are asked for."""
    parser = argparse.ArgumentParser(description="The share of the probe suite that a model reads rightly.")
    parser.add_argument("model", nargs="?", type=Path, help="a model's folder; without it, the shipped model")
    parser.add_argument("--failures", action="store_true", help="also list the posts of the open part that fail")
    arguments = parser.parse_args()
    try:
        model = load(arguments.model)
    except CrisisdeskError as error:
        sys.exit(str(error))
    answers = ask(model, read())
    print(f"{model.name} {model.digest}\n{table(answers)}")
    if arguments.failures:
        print(f"\n{failures(answers)}")


if __name__ == "__main__":
    main()
