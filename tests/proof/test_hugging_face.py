"""Any Hugging Face classifier instead: on PyTorch, imported, from the hub; and the import needs PyTorch no more."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from fake_hub import hub

pytestmark = [pytest.mark.proof, pytest.mark.timeout(1500)]

HERE = Path(__file__).parent
KINDS = ("bert", "roberta", "xlm-roberta", "distilbert")
LABELS = ("negative", "neutral", "positive")
POSTS = [
    "this ad makes me so angry, boycott!",
    "great",
    "coffee first, then outrage",
    "schlechter Service, nie wieder",
    "danke für die schnelle Hilfe, super!",
    "der Zug fährt heute von Gleis 4",
    "who approved it? not a fashion item",
    "<pad> <s> [PAD] [MASK] what a weekend",
    "😡😡 wow 😡",
    "wow " * 120,
    *(f"love the sling {'so ' * number}much" for number in range(1, 14)),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory, torch_python) -> Path:
    """A working folder with small models, what PyTorch says with them, and their imported copies."""
    place = tmp_path_factory.mktemp("hugging face")
    started([torch_python, HERE / "tiny_models.py", place], place)
    (place / "posts.txt").write_text("\n".join(POSTS) + "\n", encoding="utf-8")
    done = started([torch_python, HERE / "both_ways.py", "posts.txt", *(f"./{kind}" for kind in KINDS)], place)
    (place / "torch.json").write_text(done.stdout)
    return place


def started(
    command: list[object], place: Path, *, expect: int = 0, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run in `place`, with the data folder and the hub's cache in it."""
    # The desk tells its own process to stay offline once it has loaded a model, as other tests do.
    own = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    quiet = {"HF_HOME": str(place / "cache"), "XDG_DATA_HOME": str(place / "data"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=place,
        env={**own, **quiet, **variables},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == expect, done.stderr
    return done


def crisisdesk(place: Path, *arguments: object, python: Path | str = sys.executable, **more) -> tuple[str, str]:
    done = started([python, "-m", "crisisdesk", *arguments], place, **more)
    return done.stdout, done.stderr


def scores_of(lines: str) -> list[list[float]]:
    return [[json.loads(line)[label] for label in LABELS] for line in lines.splitlines()]


def close(first, second) -> bool:
    return all(
        abs(a - b) <= 0.00021 for one, other in zip(first, second, strict=True) for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_pytorch_and_the_imported_copy_agree_and_no_post_depends_on_its_neighbours(world, kind):
    assert find_spec("torch") is None, "this process stands for an installation without PyTorch"
    on_torch = json.loads((world / "torch.json").read_text())[f"./{kind}"]
    assert (on_torch["name"], on_torch["import"]) == (kind, 0)
    assert on_torch["together"] == on_torch["alone"]
    assert len({tuple(scores) for scores in on_torch["together"]}) > len(POSTS) // 2
    out, err = crisisdesk(world, "score", "--model", f"./{kind}", "posts.txt")
    imported = scores_of(out)
    assert err == ""
    assert close(imported, on_torch["together"])
    backwards = world / f"{kind}.txt"
    backwards.write_text("\n".join(POSTS[::-1]), encoding="utf-8")
    assert close(scores_of(crisisdesk(world, "score", "--model", f"./{kind}", backwards)[0])[::-1], imported)


def test_the_configuration_names_a_folder_beside_it_and_a_replay_uses_it(world):
    folder = world / "configured"
    folder.mkdir()
    (folder / "crisisdesk.toml").write_text(
        '[desk]\nname = "acme"\nmodel = "../distilbert"\n'
        'model_labels = { Negative = "positive", Positive = "negative" }\n'
        '[[watch]]\nname = "All"\nterms = ["sling"]\n'
    )
    texts = [post for post in POSTS if "sling" in post]
    lines = [json.dumps({"time": f"2024-03-04T00:{n:02}:00Z", "text": text}) for n, text in enumerate(texts)]
    (world / "sling.jsonl").write_text("\n".join(lines))
    (world / "sling.txt").write_text("\n".join(texts))
    plain = scores_of(crisisdesk(world, "score", "--model", "./distilbert", "sling.txt")[0])
    turned = sum(positive > negative for negative, _, positive in plain)
    assert turned != sum(negative > positive for negative, _, positive in plain)
    out, _ = crisisdesk(world, "replay", "sling.jsonl", "-c", "configured/crisisdesk.toml", "--json")
    assert json.loads(out.splitlines()[-1])["watches"]["All"]["negative"] == turned


def test_the_card_of_an_imported_model_shows_where_it_comes_from_and_what_its_labels_mean(world):
    known = json.loads(crisisdesk(world, "model", "info", "./xlm-roberta", "--json")[0])
    assert (known["name"], known["languages"], known["licence"]) == ("xlm-roberta", ["en", "de"], "mit")
    assert known["means"] == ["negative", "negative", "neutral", "positive", "positive"]
    assert (known["max_tokens"], known["temperature"]) == (128, 1.0)
    assert "1 star = negative" in crisisdesk(world, "model", "info", "./xlm-roberta")[0]
    config = json.loads((Path(known["folder"]) / "config.json").read_text())
    assert str(world) not in json.dumps(config)


def test_an_import_elsewhere_moves_to_another_place_and_a_second_one_replaces_it(world, torch_python):
    arguments = ("model", "import", "./feelings", "--out", "out/mine", "--labels")
    crisisdesk(world, *arguments, "joy=positive,anger=negative,nothing much=neutral", python=torch_python)
    first = json.loads(crisisdesk(world, "model", "info", "out/mine", "--json")[0])
    crisisdesk(world, *arguments, "joy=negative,anger=positive,nothing much=neutral", python=torch_python)
    shutil.move(world / "out" / "mine", world / "moved")
    assert list((world / "out").iterdir()) == []
    second = json.loads(crisisdesk(world, "model", "info", "./moved", "--json")[0])
    assert (first["means"][0], second["means"][0]) == ("positive", "negative")
    assert first["digest"] != second["digest"]
    assert scores_of(crisisdesk(world, "score", "--model", "./moved", "posts.txt")[0])


def test_a_model_of_the_hub_is_fetched_imported_and_then_found_by_its_name_without_network_or_pytorch(
    world, torch_python
):
    with hub("acme/moods", world / "bert") as server:
        crisisdesk(world, "model", "import", "acme/moods", python=torch_python, HF_ENDPOINT=server.url)
        assert any(path.endswith("/model.safetensors") for path in server.asked)
    out, _ = crisisdesk(world, "score", "--model", "acme/moods", "posts.txt", HF_ENDPOINT=server.url)
    on_torch = json.loads((world / "torch.json").read_text())["./bert"]
    assert close(scores_of(out), on_torch["together"])
    assert json.loads(crisisdesk(world, "model", "info", "acme/moods", "--json")[0])["name"] == "acme/moods"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("./feelings", r'model_labels = { joy = "?", anger = "?", "nothing much" = "?" }'),
        ("./base", "is made for something else (BertModel), not for classifying texts"),
        ("acme/gated", "is given out only to people who accepted its terms"),
        ("acme/nothing", "knows no model acme/nothing"),
    ],
)
def test_what_cannot_judge_says_why_and_leaves_nothing(world, torch_python, model, message):
    with hub("acme/moods", world / "bert") as server:
        out, err = crisisdesk(world, "model", "import", model, python=torch_python, expect=1, HF_ENDPOINT=server.url)
    assert out == ""
    assert message in err
    assert "Traceback" not in err
    assert not [path.name for path in (world / "data").rglob("*") if path.name.endswith(".part")]
