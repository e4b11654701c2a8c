"""What tests of several folders share."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def torch_python() -> Path:
    """An interpreter that has PyTorch besides everything else; CONTRIBUTING says why it is not this one."""
    if importlib.util.find_spec("torch"):
        return Path(sys.executable)
    place = Path(sys.prefix) / "torch" / "bin" / "python"
    if not place.is_file():
        lack = f"There is no PyTorch: {place} is missing. `make proof` and `make bench` make it."
        pytest.fail(lack) if os.environ.get("CI") else pytest.skip(lack)
    return place
