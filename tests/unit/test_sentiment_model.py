"""The shipped model itself: what it says, and that it says so in any company."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from crisisdesk.errors import ModelError
from crisisdesk.sentiment import torch_model
from crisisdesk.sentiment.base import NEUTRAL
from crisisdesk.sentiment.card import LABELS, default_model_folder, read_card, render
from crisisdesk.sentiment.transformer import TransformerModel, _session, load

ENGLISH = {
    "negative": (
        "Worst customer service I have ever had, never again.",
        "I hate this ad, it is insulting.",
        "This is disgusting and you should be ashamed.",
        "My phone broke after two days, what a piece of junk.",
        "So disappointed with the quality, I want my money back.",
        "The pills made me sick, this is horrible.",
        "Terrible experience, the staff was rude and the food was cold.",
        "I am so angry at this company right now.",
        "The update ruined everything, the app keeps crashing.",
        "Shame on you for this awful campaign.",
        "this is the worst day ever, I feel terrible",
        "Boycott them! They lie to their customers.",
    ),
    "neutral": (
        "The meeting starts at 3 pm on Monday.",
        "The company will publish its results on Thursday.",
        "The store on Main Street opens at nine tomorrow.",
        "Train to Boston leaves from platform 4 on Friday.",
        "New report: sales of phones in the third quarter",
        "Does anyone know what time the game starts tonight?",
        "The conference takes place in Berlin in October.",
        "Apple to hold event on September 9",
    ),
    "positive": (
        "I love this so much, thank you!",
        "Best coffee I have ever had, great service!",
        "What a wonderful day, so happy right now!",
        "Great job, the new update is awesome.",
        "Thanks for the quick help, you guys are amazing!",
        "Can't wait for the concert tonight, so excited!",
        "Happy birthday, have a great day!",
        "This phone is fantastic, I really enjoy it.",
    ),
}
GERMAN = {
    "negative": (
        "Das ist einfach nur schlecht.",
        "So ein Mist, ich hasse das!",
        "Die Bahn ist schon wieder zu spät, das nervt.",
        "Schlechter Service, nie wieder!",
        "Ich bin so traurig und wütend.",
        "Was für ein Scheiß, das ist echt zum Kotzen",
    ),
    "neutral": (
        "Die Sitzung beginnt am Montag um 15 Uhr.",
        "Der Zug nach Hamburg fährt heute von Gleis 4.",
        "Das neue Buch erscheint am 3. Oktober.",
        "Die Konferenz findet im Oktober in Berlin statt.",
        "Wer weiß, wann das Spiel heute beginnt?",
        "Im Juni wird in der Stadt gewählt.",
    ),
    "positive": (
        "Ich freue mich so sehr! :)",
        "Danke für die schnelle Hilfe, super!",
        "Das ist so schön, ich liebe es <3",
        "Tolles Konzert gestern, einfach super!",
        "Guten Morgen, ich wünsche euch einen schönen Tag!",
        "Herzlichen Glückwunsch zum Geburtstag!",
    ),
}
HOSTILE = (
    "",
    " ",
    "😡😡😡",
    "x" * 100_000,
    "wow " * 30_000,
    "\ud800 lone \udfff",
    "nul\x00byte",
    "\u202eright to left\u202c",
    "مرحبا بالعالم",
    "\x1b[31mred\x1b[0m",
    "a\u0300" * 5_000,
    "[UNK] [SEP] [CLS] [MASK] [PAD]",
    "&amp;" * 5_000,
    "@" * 5_000,
    "http://" * 5_000,
    "🤬" * 10_000,
)
POSTS = [text for language in (ENGLISH, GERMAN) for texts in language.values() for text in texts]


@pytest.fixture(scope="module")
def model() -> TransformerModel:
    return load()


def share_right(model: TransformerModel, language: dict[str, tuple[str, ...]]) -> float:
    pairs = [(label, text) for label, texts in language.items() for text in texts]
    scores = model.score([text for _, text in pairs])
    right = [LABELS[some.index(max(some))] == label for (label, _), some in zip(pairs, scores, strict=True)]
    return sum(right) / len(right)


def test_it_judges_plain_english(model: TransformerModel) -> None:
    assert share_right(model, ENGLISH) >= 0.9


def test_it_judges_plain_german_better_than_not(model: TransformerModel) -> None:
    assert share_right(model, GERMAN) >= 0.6


def test_a_post_scores_the_same_alone_in_pairs_in_crowds_and_in_any_order(model: TransformerModel) -> None:
    alone = [model.score([text])[0] for text in POSTS]
    for size in (2, 32, len(POSTS)):
        grouped = [scores for i in range(0, len(POSTS), size) for scores in model.score(POSTS[i : i + size])]
        assert grouped == alone
    order = random.Random(7).sample(range(len(POSTS)), len(POSTS))
    assert model.score([POSTS[i] for i in order]) == [alone[i] for i in order]
    assert model.score([*HOSTILE, *POSTS])[len(HOSTILE) :] == alone


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_gets_a_score_and_leaves_the_others_theirs(model: TransformerModel, text: str) -> None:
    before = model.score(POSTS[:2])
    first, hostile, second = model.score([POSTS[0], text, POSTS[1]])
    assert [first, second] == before
    assert sum(hostile) == pytest.approx(1, abs=3e-4)
    assert min(hostile) >= 0


def test_what_nobody_can_read_is_neutral(model: TransformerModel) -> None:
    assert model.score(["", "   ", "\u200b", "\x00", "ሰላም ነው", "ꙮ"]) == [NEUTRAL] * 6


def test_a_thousand_copies_score_alike(model: TransformerModel) -> None:
    assert len(set(model.score([POSTS[0]] * 1000))) == 1


def test_no_texts_no_scores(model: TransformerModel) -> None:
    assert model.score([]) == []


def test_the_folder_is_a_hugging_face_folder_and_its_card_is_filled(model: TransformerModel) -> None:
    from transformers import AutoConfig, AutoTokenizer  # noqa: PLC0415  after `load`, which silences its advice

    folder = default_model_folder()
    config = AutoConfig.from_pretrained(str(folder), local_files_only=True)
    assert [config.id2label[i] for i in range(3)] == list(LABELS)
    assert AutoTokenizer.from_pretrained(str(folder), local_files_only=True)("hello")["input_ids"]
    card = read_card(folder)
    assert (card.name, card.digest) == (model.name, model.digest)
    assert len(card.digest) == 12
    assert card.size < 40_000_000
    assert card.licence == "Apache-2.0"
    assert {"en", "de"} <= set(card.languages)
    assert card.scores["by"]["source"]["tweeteval_val"]["n"] == 2000
    for part in (card.digest, "Apache-2.0", "tweeteval_val", f"{card.temperature:g}"):
        assert part in render(card)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(default_model_folder(), tmp_path / "copy"))


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / "model.onnx").unlink()
    with pytest.raises(ModelError, match=r"copy lacks model\.onnx\. Restore the folder\.$"):
        load(copy)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_broken_file_is_an_error_with_its_cure(copy: Path, name: str) -> None:
    (copy / name).write_bytes((copy / name).read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"cannot be loaded .* Restore the folder\.$"):
        load(copy)


@pytest.fixture
def foreign(copy: Path) -> Callable[[list[str]], Path]:
    """Makes a model whose tokenizer knows one word of Amharic and which states these languages."""
    foreign = {"[UNK]": 0, ".": 1, "ሰላም": 2}
    model = {"type": "WordLevel", "vocab": foreign, "unk_token": "[UNK]"}
    whole = json.loads((copy / "tokenizer.json").read_text("utf-8"))
    bare = {"normalizer": None, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None}
    special = [one | {"id": 0, "content": "[UNK]"} for one in whole["added_tokens"][:1]]
    (copy / "tokenizer.json").write_text(json.dumps(whole | bare | {"model": model, "added_tokens": special}))
    (copy / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    config = json.loads((copy / "config.json").read_text("utf-8"))

    def make(languages: list[str]) -> Path:
        (copy / "config.json").write_text(json.dumps({**config, "crisisdesk": {"languages": languages}}))
        return copy

    return make


def test_a_tokenizer_that_reads_no_word_of_its_language_is_damaged(foreign: Callable[[list[str]], Path]) -> None:
    with pytest.raises(ModelError) as raised:
        load(foreign(["de"]))
    said = "reads no word of German, so every post would count alike. Its tokenizer is damaged or another model's."
    assert str(raised.value).endswith(f"{said} Restore the folder.")


def test_a_model_of_another_script_is_not_called_damaged_but_asked_for_its_language(
    foreign: Callable[[list[str]], Path],
) -> None:
    with pytest.raises(ModelError, match=r"reads no word of English or German.* If it is made for another language"):
        load(foreign([]))
    assert load(foreign(["am"])).score(["."])  # of a language of which the desk has no words nothing is said


def test_on_pytorch_the_cure_is_another_one_and_the_only_one(
    foreign: Callable[[list[str]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = foreign(["en"])
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["BertForSequenceClassification"]}))
    (folder / "model.safetensors").write_bytes(b"weights")
    monkeypatch.setattr(torch_model, "find_spec", lambda _: True)
    monkeypatch.setattr(torch_model, "_network", lambda folder: folder)
    monkeypatch.setattr(torch_model, "TorchNetwork", lambda folder: _session(folder / "model.onnx"))
    with pytest.raises(ModelError) as raised:
        torch_model.load(folder, "acme/moods")
    assert str(raised.value).endswith("another model's. Fetch or restore it, or choose another model.")
    assert "files are broken" not in str(raised.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id2label": {"0": "bad", "1": "good"}}, "is not clear: it has bad, good"),
        ({"id2label": {"1": "negative", "2": "positive"}}, "id2label must number the labels from 0 on"),
    ],
)
def test_a_configuration_of_another_kind_is_refused(copy: Path, change: dict[str, object], message: str) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, **change}))
    with pytest.raises(ModelError, match=message):
        load(copy)


def test_the_digest_changes_with_every_file_that_decides_a_score_and_with_no_other(copy: Path) -> None:
    original = read_card(copy).digest
    config = json.loads((copy / "config.json").read_text())
    own = config["crisisdesk"]
    (copy / "config.json").write_text(json.dumps({**config, "crisisdesk": {**own, "scores": {}}}))
    assert read_card(copy).digest == original
    (copy / "config.json").write_text(json.dumps({**config, "crisisdesk": {**own, "temperature": 2.0}}))
    hotter = read_card(copy).digest
    (copy / "tokenizer.json").write_text((copy / "tokenizer.json").read_text() + "\n")
    assert len({original, hotter, read_card(copy).digest}) == 3


QUIET_AND_OFFLINE = """
import socket
def refuse(*args, **kwargs):
    raise SystemExit("the network was asked")
socket.socket.connect = socket.getaddrinfo = refuse
from crisisdesk.sentiment.transformer import load
print(load().score(["I love it"]))
"""


def test_loading_is_quiet_and_asks_no_network() -> None:
    done = subprocess.run(
        [sys.executable, "-c", QUIET_AND_OFFLINE], capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("[(")


@pytest.mark.parametrize("telemetry", [{}, {"ORT_DISABLE_TELEMETRY": "0"}])
def test_loading_sends_nothing_and_leaves_nothing_behind(tmp_path: Path, telemetry: dict[str, str]) -> None:
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    known = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    subprocess.run(
        [sys.executable, "-c", QUIET_AND_OFFLINE],
        env={**known, **telemetry, "TMPDIR": str(temporary), "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")},
        capture_output=True,
        timeout=50,
        check=True,
    )
    assert (list(temporary.rglob("*")), list(home.rglob("*"))) == ([], [])


def test_importing_the_room_loads_no_heavy_library() -> None:
    rooms = "base, batcher, cached, card, evaluate, score, transformer"
    heavy = {"transformers", "onnxruntime", "torch"}
    code = f"import sys; from crisisdesk.sentiment import {rooms}; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout.strip() == "set()"
