"""From what people write as the model to the model itself: folders, names, copies, and what is said without PyTorch."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from crisisdesk.cli.loading import model_loader
from crisisdesk.cli.main import run
from crisisdesk.errors import ModelError, UsageError
from crisisdesk.sentiment import choose, torch_model
from crisisdesk.sentiment.card import SHIPPED, default_model_folder
from crisisdesk.sentiment.origin import stated

HUB_NAME = "cardiffnlp/twitter-xlm-roberta-base-sentiment"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    """An empty working folder and a data folder of nobody's; no PyTorch, whatever is installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(torch_model, "find_spec", lambda _: None)
    return tmp_path


def folder_for_pytorch(place: Path, **changes) -> Path:
    place.mkdir(parents=True)
    config = {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "NEG", "1": "POS"}, **changes}
    (place / "config.json").write_text(json.dumps(config))
    (place / "model.safetensors").write_bytes(b"weights")
    return place


def test_nothing_and_its_own_name_mean_the_shipped_model():
    assert choose.find(None).ready == choose.find(SHIPPED).ready == default_model_folder()
    assert model_loader(None) is None


def test_a_folder_that_runs_as_it_is_is_loaded_and_judges(here):
    shutil.copytree(default_model_folder(), here / "mine")
    model = choose.load(choose.find("mine"), {"negative": "positive", "positive": "negative"})
    [(negative, _, positive)] = model.score(["I love this so much, thank you!"])
    assert model.name == "mine"
    assert negative > positive


def test_a_call_says_what_the_labels_of_its_model_mean(here, capsys):
    shutil.copytree(default_model_folder(), here / "mine")
    (here / "posts.txt").write_text("I love this so much, thank you!\n")
    (here / "posts.tsv").write_text("label\ttext\nnegative\tI love this so much, thank you!\n")
    turned = ("--model", "./mine", "--labels", "negative=positive,positive=negative")
    assert run(["score", "posts.txt", *turned]) == 0
    assert json.loads(capsys.readouterr().out)["label"] == "negative"
    assert run(["model", "evaluate", "posts.tsv", "--json", *turned]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == 1


@pytest.mark.parametrize(
    "command", [["replay", "posts.jsonl"], ["demo", "--json"], ["watch", "acme", "--headless"], ["score", "posts.txt"]]
)
def test_every_command_that_takes_a_model_takes_what_its_labels_mean(here, capsys, command):
    shutil.copytree(default_model_folder(), here / "mine")
    (here / "posts.txt").write_text("great\n")
    (here / "posts.jsonl").write_text('{"time": "2026-01-01T00:00:00Z", "text": "great"}\n')
    assert run([*command, "--model", "./mine", "--labels", "joy=positive"]) == 1
    assert "mine has no label 'joy'; it has negative, neutral, positive." in capsys.readouterr().err
    assert run([*command, "--labels", "joy=positive"]) == 2
    assert "name that with --model" in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["./nosuch", "/no/such", "nosuch/", "~/no such", "~nobody-here/x", "..\\nosuch"])
def test_a_folder_that_is_not_there_is_a_mistake_of_the_call(asked):
    with pytest.raises(UsageError, match="There is no folder"):
        choose.find(asked)


@pytest.mark.parametrize("asked", ["", "a/b/c", "a b", "ü/x", "a" * 300, "-x", "x\x1b[31m"])
def test_what_is_neither_folder_nor_name_says_how_both_are_written(asked):
    with pytest.raises(UsageError, match="write a name of the Hugging Face hub, such as") as raised:
        choose.find(asked)
    assert str(raised.value).isprintable()


def test_without_pytorch_a_name_or_folder_says_what_to_install_or_to_import(here):
    folder_for_pytorch(here / "plain")
    for asked in (HUB_NAME, "./plain"):
        with pytest.raises(ModelError, match=r"pip install 'crisisdesk\[torch\]'") as raised:
            model_loader(asked)
        assert f"crisisdesk model import {asked.removeprefix('./')}" in str(raised.value)


@pytest.mark.parametrize(
    "command",
    [
        ["score", "posts.txt"],
        ["replay", "posts.txt"],
        ["demo", "--json"],
        ["watch", "acme", "--headless"],
        ["model", "evaluate", "posts.txt"],
    ],
)
def test_every_command_takes_a_model_and_says_in_one_message_why_it_cannot_run(here, capsys, command):
    (here / "posts.txt").write_text("great\n")
    assert run([*command, "--model", HUB_NAME]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"The model {HUB_NAME} runs on PyTorch, which is not installed here.")
    assert err.count("\n") == 1


def test_a_configured_model_that_cannot_run_ends_the_run_before_it_begins(here, capsys):
    (here / "crisisdesk.toml").write_text(
        f'[desk]\nname = "acme"\nmodel = "{HUB_NAME}"\n[[watch]]\nname = "A"\nterms = ["a"]\n'
        '[[source]]\nkind = "bluesky"\nurl = "ws://127.0.0.1:9/x"\n'
    )
    assert run(["run", "--headless"]) == 1
    assert "runs on PyTorch" in capsys.readouterr().err
    assert not list(here.glob("*.db"))


def test_an_imported_copy_is_found_by_the_same_name_until_its_folder_changes(here):
    source = folder_for_pytorch(here / "plain")
    copy = choose.find("./plain").copy
    shutil.copytree(default_model_folder(), copy)
    later = max(path.stat().st_mtime for path in (*copy.iterdir(), *source.iterdir())) + 10
    os.utime(copy / "config.json", (later, later))
    assert choose.find("./plain").ready == choose.find(str(source)).ready == copy
    os.utime(source / "model.safetensors", (later + 10, later + 10))
    with pytest.raises(
        ModelError, match=r"was changed after it was imported\. Import it again: crisisdesk model import"
    ):
        choose.find("./plain")
    shutil.copytree(default_model_folder(), choose.imported_models() / "acme--moods")
    assert choose.find("acme/moods").ready == choose.imported_models() / "acme--moods"


def test_what_runs_as_it_is_needs_no_import(here, capsys):
    shutil.copytree(default_model_folder(), here / "mine")
    assert run(["model", "import", "./mine"]) == 2
    assert "there is nothing to import" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architectures": ["BertModel"]}, r"made for something else \(BertModel\)"),
        ({"problem_type": "multi_label_classification"}, "does not choose one of several labels"),
        ({"id2label": {"0": "score"}}, "does not choose one of several labels"),
        ({"id2label": ["NEG", "POS"]}, "is no configuration of a classifier: id2label should be an object"),
        ({"max_position_embeddings": "many"}, "max_position_embeddings should be a valid integer"),
    ],
)
def test_a_folder_of_another_kind_is_refused_without_loading_it(here, changes, message):
    folder_for_pytorch(here / "other", **changes)
    with pytest.raises(ModelError, match=message):
        choose.card_of(choose.find("./other"))


def test_a_folder_without_weights_says_what_is_missing(here):
    (folder_for_pytorch(here / "empty") / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"lacks model\.safetensors or pytorch_model\.bin\. Fetch or restore them"):
        choose.card_of(choose.find("./empty"))


@pytest.mark.parametrize(
    ("index", "lacks"),
    [
        ({"weight_map": {"a": "here.bin", "b": "gone.bin", "c": "gone.bin"}}, "lacks gone.bin. "),
        ({"weight_map": {"a": "../../here.bin"}}, None),
        ({"weight_map": []}, "lacks model.safetensors or pytorch_model.bin. "),
        ({"weight_map": {"a": 1}}, "lacks model.safetensors or pytorch_model.bin. "),
    ],
)
def test_weights_in_several_files_are_whole_when_all_are_there_that_their_index_names(here, index, lacks):
    folder = folder_for_pytorch(here / "parts")
    (folder / "model.safetensors").rename(folder / "here.bin")
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    if lacks is None:
        assert choose.card_of(choose.find("./parts")).size > 0
    else:
        with pytest.raises(ModelError, match=re.escape(lacks)):
            choose.card_of(choose.find("./parts"))


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("---\nlanguage: en\nlicense: mit\n---\n", {"languages": ("en",), "licence": "mit"}),
        ("---\nlanguage: [de, multilingual]\n---\n", {"languages": ("de",)}),
        ("---\nlanguage: multilingual\n---\n", {}),
        ("# No head\n", {}),
        ("---\n{[\n---\n", {}),
        ("---\nlanguage: {a: b}\nlicense: [1]\n---\n", {}),
    ],
)
def test_a_page_states_languages_and_licence_or_nothing(here, page, found):
    (here / "README.md").write_text(page)
    assert stated(here) == found


def test_what_a_folder_says_of_itself_does_not_steer_the_terminal(here, capsys):
    own = {
        "licence": "mit\x1b]0;x\x07\nfolder  /trusted",
        "base": "\x1b[2J",
        "trained_on": ["\u202eposts"],
        "labels": {"NEG": "negative"},
    }
    shutil.copytree(default_model_folder(), here / "mine")
    config = json.loads((here / "mine" / "config.json").read_text("utf-8"))
    config["id2label"] = {"0": "NEG", "1": "neutral", "2": "pos"}
    (here / "mine" / "config.json").write_text(json.dumps(config | {"crisisdesk": own}))
    assert run(["model", "info", "./mine"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.isprintable() for line in lines)
    assert sum(line.startswith("folder") for line in lines) == 1


@pytest.mark.parametrize(
    ("own", "what"),
    [
        ({"scores": []}, "crisisdesk.scores should be an object."),
        ({"scores": {"by": {"lang": {"de": {"n": 5}}}}}, "crisisdesk.scores.by.lang.de.macro_recall Field required;"),
        ({"languages": "en"}, "crisisdesk.languages should be a valid array."),
        ({"languages": ["en", 5]}, "crisisdesk.languages.1 should be a valid string."),
        ({"trained_on": {"a": 1}}, "crisisdesk.trained_on should be a valid array."),
        ({"licence": ["mit"]}, "crisisdesk.licence should be a valid string."),
        ({"name": 7}, "crisisdesk.name should be a valid string."),
        ({"temperature": "x"}, "crisisdesk.temperature should be a valid number."),
        ({"temperature": 0}, "crisisdesk.temperature should be greater than or equal to 0.01."),
        ({"temperature": float("nan")}, "crisisdesk.temperature should be"),
        ({"max_tokens": 3}, "crisisdesk.max_tokens should be greater than or equal to 8."),
        ({"max_tokens": 10**30}, "crisisdesk.max_tokens should be"),
        ({"labels": ["negative"]}, "crisisdesk.labels should be an object."),
        (
            {"labels": {"neutral": "Neutral"}},
            "crisisdesk.labels.neutral should be 'negative', 'neutral' or 'positive'.",
        ),
        ({"\x1b[31m": 0, "labels": {"\x1b[31m": 0}}, "crisisdesk.labels. should be"),
        ([], "crisisdesk should be an object."),
    ],
)
@pytest.mark.parametrize("for_pytorch", [False, True])
def test_what_a_folder_says_wrong_of_itself_is_one_message_with_file_key_and_cure(here, capsys, own, what, for_pytorch):
    if for_pytorch:
        folder_for_pytorch(here / "mine", crisisdesk=own)
    else:
        shutil.copytree(default_model_folder(), here / "mine")
        config = json.loads((here / "mine" / "config.json").read_text("utf-8"))
        (here / "mine" / "config.json").write_text(json.dumps(config | {"crisisdesk": own}))
    assert run(["model", "info", "./mine"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"mine/config.json is no configuration of a classifier: {what}")
    assert "Restore the folder" in err
    assert err.removesuffix("\n").isprintable()


def test_null_in_a_configuration_is_unset_and_no_mistake(here):
    folder_for_pytorch(here / "mine", id2label=None, crisisdesk=None, max_position_embeddings=66)
    known = choose.card_of(choose.find("./mine"))
    assert (known.labels, known.max_tokens) == (("LABEL_0", "LABEL_1"), 64)


@pytest.mark.parametrize("content", [b"", b"x", b"\xff\xfe", b"[" * 100_000, b"9" * 9999])
def test_a_configuration_that_is_no_json_at_all_is_one_message(here, capsys, content):
    folder_for_pytorch(here / "mine").joinpath("config.json").write_bytes(content)
    assert run(["model", "info", "./mine"]) == 1
    assert capsys.readouterr().err.startswith("mine/config.json is no configuration of a classifier: ")


def test_a_model_whose_labels_are_unclear_is_shown_and_how_to_map_them(here, capsys):
    folder_for_pytorch(here / "moods", id2label={"0": "joy", "1": "anger", "2": "neutral"})
    assert run(["model", "info", "./moods"]) == 1
    out, err = capsys.readouterr()
    assert re.search(r"^labels +joy = \?, anger = \?, neutral$", out, re.MULTILINE)
    assert err.startswith("What the labels of moods mean is not clear: it has joy, anger, neutral")
    assert 'model_labels = { joy = "?", anger = "?", neutral = "neutral" }' in err
    assert '--labels "joy=?,anger=?,neutral=neutral"' in err
    assert run(["model", "info", "./moods", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["means"] == ["?", "?", "neutral"]


def test_shares_that_no_post_had_are_shown_as_none(here, capsys):
    figures = {"n": 3, "macro_recall": None, "macro_f1": None, "ece": 0.25}
    folder_for_pytorch(here / "mine", crisisdesk={"scores": {"by": {"lang": {"de": figures}}}})
    assert run(["model", "info", "./mine"]) == 0
    assert "lang de: macro recall -, macro F1 -, calibration error 0.250 (n = 3)" in capsys.readouterr().out


def broken(folder: Path) -> Path:
    """A model's folder in which the network is cut off."""
    shutil.copytree(default_model_folder(), folder)
    (folder / "model.onnx").write_bytes(b"cut")
    return folder


def test_broken_files_have_the_cure_of_where_they_come_from(here, monkeypatch):
    source = folder_for_pytorch(here / "plain")
    past = min(path.stat().st_mtime for path in source.iterdir()) - 10
    for path in source.iterdir():
        os.utime(path, (past, past))
    cures = {
        "./mine": (here / "mine", "Restore the folder."),
        "acme/moods": (choose.imported_models() / "acme--moods", "Import it again: crisisdesk model import acme/moods"),
        "./plain": (choose.find("./plain").copy, "Import it again: crisisdesk model import plain"),
        SHIPPED: (here / "shipped", "Install crisisdesk again."),
    }
    monkeypatch.setattr(choose, "default_model_folder", lambda: here / "shipped")
    for asked, (folder, cure) in cures.items():
        broken(folder)
        with pytest.raises(ModelError, match=r"cannot be loaded") as raised:
            choose.load(choose.find(asked))
        assert str(raised.value).endswith(cure)
        (folder / "tokenizer.json").unlink()
        with pytest.raises(ModelError, match=r"lacks tokenizer\.json\. ") as raised:
            choose.card_of(choose.find(asked))
        assert str(raised.value).endswith(cure)


def test_a_model_states_the_same_languages_before_its_import_as_after(here):
    (folder_for_pytorch(here / "plain") / "README.md").write_text("---\nlanguage: [en, de]\nlicense: mit\n---\n")
    known = choose.card_of(choose.find("./plain"))
    assert (known.languages, known.licence) == (("en", "de"), "mit")


def test_a_model_of_the_hub_is_fetched_before_anything_is_started(here, monkeypatch):
    monkeypatch.setattr(torch_model, "find_spec", lambda _: True)
    monkeypatch.setenv("HF_HOME", str(here / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="acme/moods is not on this machine"):
        model_loader("acme/moods")


@pytest.mark.parametrize("asked", ["e5-post-v2", "e5-posts-v1", "minilm-posts-v1"])
def test_a_mistyped_or_former_name_of_the_shipped_model_is_told_the_right_one(asked):
    with pytest.raises(UsageError, match="the one that comes along is e5-posts-v2"):
        choose.find(asked)


def test_a_folder_without_a_model_is_not_answered_with_an_installation(here):
    (here / "pictures").mkdir()
    with pytest.raises(UsageError, match=r"The folder pictures holds no model: there is no config\.json in it"):
        choose.find("./pictures")
