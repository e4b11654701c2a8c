"""What tests of several folders share."""

import importlib.util
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_LONG = ("test_demo.py", "test_doctor.py", "test_streams.py", "test_kills.py")


@pytest.hookimpl(trylast=True)  # after the order was drawn by lot
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files go first, so that no processor waits for another at the end."""
    items.sort(
        key=lambda item: (item.path.name not in _LONG, item.path.parent.name not in {"flow", "console", "broker"})
    )


@pytest.fixture(scope="session", autouse=True)
def signals_are_heard() -> Iterator[None]:
    """What the tests start hears ctrl+c, and that its terminal is gone, as on a terminal.

    A job in the background of a script (`make test &`, `nohup make test`) is started deaf to them, and hands that on to
    all it starts.
    """
    before = {signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler)}
    lost = getattr(signal, "SIGHUP", None)
    if lost and signal.getsignal(lost) is signal.SIG_IGN:
        before[lost] = signal.signal(lost, lambda *_: None)  # deaf ourselves, but what we start is not
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


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
