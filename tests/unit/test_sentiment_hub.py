"""Fetching from a hub on a real socket: what it has, what it refuses, what is kept for when nobody answers."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fake_hub import hub

FETCH = """
import sys
from crisisdesk.errors import ModelError
from crisisdesk.sentiment.hub import fetch
for name in sys.argv[1:]:
    try:
        print("fetched", *sorted(path.name for path in fetch(name).iterdir()))
    except ModelError as error:
        print(error)
"""


@pytest.fixture
def model(tmp_path) -> Path:
    """A folder as the hub may hold it, with more in it than is needed."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "vocab.txt", "README.md", "pytorch_model.bin", "tf_model.h5", "training_args.bin"):
        (folder / name).write_text("{}")
    return folder


def fetch(home: Path, *names: str, **variables: str) -> list[str]:
    """What becomes of each name, a line each, in a process of its own: the client reads its settings once."""
    # The desk tells its own process to stay offline once it has loaded a model, as other tests do.
    own = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    done = subprocess.run(
        [sys.executable, "-c", FETCH, *names],
        env={**own, "HF_HOME": str(home), **variables},
        capture_output=True,
        text=True,
        timeout=55,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_what_is_needed_is_fetched_once_and_then_used_without_network(model, tmp_path):
    with hub("acme/moods", model) as server:
        before = fetch(tmp_path / "cache", "acme/moods", "acme/gated", "acme/nothing", HF_ENDPOINT=server.url)
    assert before[0] == "fetched README.md config.json pytorch_model.bin vocab.txt"
    assert before[1].startswith("The model acme/gated is given out only to people who accepted its terms.")
    assert before[2].startswith("The Hugging Face hub knows no model acme/nothing, or keeps it private. Check the name")
    after = fetch(tmp_path / "cache", "acme/moods", "acme/other", HF_ENDPOINT=server.url)
    assert after[0] == before[0]
    assert "acme/other is not on this machine, and the Hugging Face hub cannot be reached" in after[1]
    assert "crisisdesk model import acme/other --out FOLDER" in after[1]


SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


@pytest.mark.parametrize("listed", [True, False], ids=["the client knows what lacks", "an older client wrote it"])
def test_weights_in_several_files_that_an_interrupted_download_left_in_part_are_fetched_on(model, tmp_path, listed):
    (model / "pytorch_model.bin").unlink()
    (model / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": dict(zip("ab", SHARDS, strict=True))})
    )
    for shard in SHARDS:
        (model / shard).write_text(shard)
    cache = tmp_path / "cache"
    with hub("acme/moods", model) as server:
        whole = fetch(cache, "acme/moods", HF_ENDPOINT=server.url)
        assert whole == [
            f"fetched README.md config.json {' '.join(SHARDS)} model.safetensors.index.json vocab.txt",
        ]
        next(cache.rglob(SHARDS[1])).unlink()
        if not listed:
            shutil.rmtree(next(cache.rglob("trees")))
        assert fetch(cache, "acme/moods", HF_ENDPOINT=server.url) == whole
        asked = len(server.asked)
        assert fetch(cache, "acme/moods", HF_ENDPOINT=server.url) == whole
        assert len(server.asked) == asked
    next(cache.rglob(SHARDS[0])).unlink()
    [message] = fetch(cache, "acme/moods", HF_ENDPOINT=server.url)
    assert "acme/moods is not on this machine, and the Hugging Face hub cannot be reached" in message


def test_a_client_told_to_stay_offline_says_so(tmp_path):
    [message] = fetch(tmp_path, "acme/moods", HF_HUB_OFFLINE="1")
    assert "Unset HF_HUB_OFFLINE and check the connection" in message


def test_a_name_that_the_hub_forbids_is_refused_in_words(tmp_path):
    [message] = fetch(tmp_path, "acme--moods")
    assert message.startswith("The Hugging Face hub knows no model acme--moods")
