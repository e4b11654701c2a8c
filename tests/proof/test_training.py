"""The scripts in models/training, one after the other: from labelled posts to a folder that the desk runs."""

import contextlib
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoTokenizer, PreTrainedTokenizerFast
from watchfiles import watch

from crisisdesk.sentiment.prepare import prepare
from crisisdesk.sentiment.transformer import load
from crisisdesk.text import clean

pytestmark = [pytest.mark.proof, pytest.mark.timeout(900)]

SCRIPTS = Path(__file__).parents[2] / "models/training"
ENCODER = Path(__file__).with_name("tiny_encoder.py")
DESK = Path(sys.executable).with_name("crisisdesk")
LABELS = ("negative", "neutral", "positive")
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
MEANS = {"Lieferung": "delivery", "schön": "beautiful", "schon": "already", "kaputte": "broken", "Ärger": "anger"}
DICTIONARY = """# A dictionary of six words :: not one of its entries
Lieferung {f} [econ.] | Lieferungen {pl} :: delivery | deliveries
schön {adj} | schöner | am schönsten :: beautiful | more beautiful | most beautiful
schon {adv}; bereits :: already
kaputt {adj}; im Eimer [ugs.] :: broken [coll.]
Ärger {m} (über etw.) :: anger (at sth.)
heute {adv} :: today; nowadays; at this time; this day; now; these days
"""
COMPOUNDS = [f"{first}service" for first in ["taxi", "pizza", "hotel", "party", "online", "radio", "video", "studio"]]
BY_HAND = [
    ("de", "negative", "Die Lieferung ist schon wieder weg, was für ein Ärger 😡"),
    ("de", "negative", "kaputte Ware, nur Ärger damit 😡😡"),
    ("de", "neutral", "Die Lieferung kommt schon morgen 📦"),
    ("de", "positive", "so schön, die Lieferung war schon da 💡"),
    ("en", "neutral", 'the delivery is already here, "as is" 🐍'),
    ("en", "positive", "a beautiful idea and no anger at all"),
]
ENGLISH = ["taxi", "pizza", "hotel", "party", "online", "radio", "video", "studio", "service", "snake", "package"]


def run(*command: object, fails: bool = False) -> str:
    """What a command says, on one core and without the network; the test fails where it does (or does not) fail."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env=surroundings(), check=False
    )
    assert (done.returncode != 0) == fails, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stderr if fails else done.stdout


def surroundings() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(SCRIPTS.parents[1])}


def rows_of(path: Path) -> list[dict[str, str]]:
    head, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    return [dict(zip(head.split("\t"), line.split("\t"), strict=True)) for line in lines]


def write(path: Path, rows: Sequence[Sequence[str]], head: str = "lang\tsource\tlabel\ttext") -> Path:
    path.write_bytes(gzip.compress("".join(line + "\n" for line in [head, *map("\t".join, rows)]).encode()))
    return path


def make_tokenizer(english: set[str], folder: Path) -> None:
    """One as bert-base-uncased has it: small letters, no accents, words by frequency and every letter."""
    letters = [chr(code) for code in range(33, 127) if not chr(code).isupper()] + list("äöüß…")
    pieces = dict.fromkeys([*SPECIAL, *letters, *("##" + letter for letter in letters), *sorted(english)])
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **names).save_pretrained(folder)


class Chain:
    """All steps, each a process of its own, in one folder; what they made lies under the names of the steps."""

    def __init__(self, torch_python: Path, home: Path) -> None:
        self.python, self.home = torch_python, home
        self.texts = home / "texts.json"

    def step(self, script: str, *arguments: object, fails: bool = False) -> str:
        return run(self.python, SCRIPTS / f"{script}.py", *arguments, fails=fails)

    def prepare(self) -> None:
        """Labelled posts, the same by other accounts without a label, and posts that nobody labelled."""
        more = self.home / "more.tsv.gz"
        for out, count, seed in (
            (more, 650, 1),
            (self.home / "dev.tsv.gz", 200, 2),
            (self.home / "other.tsv.gz", 90, 3),
        ):
            avoided = ["--avoid", more] if more.exists() else []
            run(sys.executable, SCRIPTS / "rehearse.py", "--out", out, "--count", count, "--seed", seed, *avoided)
        hand = [(lang, "hand", label, f"{text} {'!' * n}") for lang, label, text in BY_HAND for n in range(6)]
        hand += [("de", "hand", "neutral", f"der {word.title()} heute") for word in COMPOUNDS]
        labelled = write(self.home / "hand.tsv.gz", hand)
        again = [(row["lang"], "weak", "?", f"@x{n} {row['text']}") for n, row in enumerate(rows_of(more))]
        again += [(row["lang"], "weak", "?", row["text"].replace("@", "@x")) for row in rows_of(more)]
        again += [(row["lang"], "weak", "?", row["text"]) for row in rows_of(self.home / "other.tsv.gz")]
        weak = write(self.home / "weak.tsv.gz", again)
        for _ in range(2):
            run(
                sys.executable,
                SCRIPTS / "prepare.py",
                more,
                labelled,
                "--unlabelled",
                weak,
                "--out",
                self.home / "data",
            )

    def start(self) -> None:
        """The encoder as one finds it: English words only."""
        english = {
            word
            for row in rows_of(self.home / "data/train.tsv.gz")
            if row["lang"] == "en"
            for word in re.findall("[a-z]+", row["text"].lower())
        }
        make_tokenizer((english | {*ENGLISH, *MEANS.values()}) - {"schon"}, self.home / "start")
        run(self.python, ENCODER, "make", self.home / "start")
        (self.home / "dictionary").write_text(DICTIONARY, encoding="utf-8")

    def words(self, out: str) -> None:
        arguments = ("--base", self.home / "start", "--dictionary", self.home / "dictionary", "--out", self.home / out)
        self.step("vocabulary", "--texts", self.home / "data", *arguments)

    def teacher(self, out: str) -> list[object]:
        """The command that trains on labels alone."""
        arguments = ["--data", self.home / "data", "--base", self.home / "read", "--out", self.home / out]
        return [*arguments, "--passes", "12", "--rate", "3e-3", "--german", "2"]

    def go(self) -> None:
        self.prepare()
        self.start()
        self.words("words")
        data = ["--data", self.home / "data"]
        self.step("pretrain", *data, "--base", self.home / "words", "--out", self.home / "read", "--rate", "1e-3")
        self.step("train", *self.teacher("teacher"))
        self.step("soften", *data, "--models", self.home / "teacher", "--out", self.home / "soft.npz")
        soft = ["--soft", self.home / "soft.npz", "--trust", "0.5", "--rehearsal", self.home / "other.tsv.gz"]
        self.step(
            "train", *data, "--base", self.home / "teacher", "--out", self.home / "pupil", *soft, "--rate", "1e-3"
        )
        self.export("data", "shipped", "--dev", self.home / "dev.tsv.gz")

    def export(self, data: str, out: str, *more: object) -> float:
        """Make the folder that ships, and return its temperature."""
        self.step("export", "--model", self.home / "pupil", "--data", self.home / data, "--out", self.home / out, *more)
        return float(json.loads((self.home / out / "config.json").read_text())["crisisdesk"]["temperature"])

    def rows(self, part: str) -> list[dict[str, str]]:
        return rows_of(self.home / "data" / f"{part}.tsv.gz")

    def weights(self, folder: str) -> bytes:
        return (self.home / folder / "model.safetensors").read_bytes()

    def tokens(self, folder: str, text: str) -> list[str]:
        return AutoTokenizer.from_pretrained(self.home / folder).tokenize(text)

    def logits(self, rows: Sequence[dict[str, str]]) -> np.ndarray:
        """What the pupil says in PyTorch and 32 bits (posts, 3)."""
        self.texts.write_text(json.dumps([row["text"] for row in rows]), encoding="utf-8")
        return np.array(json.loads(run(self.python, ENCODER, "judge", self.home / "pupil", self.texts)))

    def nearest(self, piece: str) -> str:
        """The piece of the English encoder whose vector points most nearly as that of a new piece."""
        known = json.loads((self.home / "start/tokenizer.json").read_text())["model"]["vocab"]
        words = [word for word in known if not word.startswith(("##", "["))]
        table = load_file(self.home / "words/model.safetensors")["embeddings.word_embeddings.weight"]
        new = AutoTokenizer.from_pretrained(self.home / "words").get_vocab()[piece]
        assert new >= len(known), f"{piece} is no new piece"
        rows = table[[known[word] for word in words]]
        return words[int(np.argmax(rows @ table[new] / np.linalg.norm(rows, axis=1)))]


@pytest.fixture(scope="module")
def chain(torch_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    made = Chain(torch_python, tmp_path_factory.mktemp("training"))
    made.go()
    return made


def chances(logits: np.ndarray, temperature: float) -> np.ndarray:
    powers = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def likeliest(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature at which the labels are likeliest."""
    found = [-np.log(chances(logits, one)[np.arange(len(labels)), labels]).mean() for one in np.arange(0.3, 3.0, 0.01)]
    return 0.3 + 0.01 * int(np.argmin(found))


def numbers(rows: Sequence[dict[str, str]]) -> np.ndarray:
    return np.array([LABELS.index(row["label"]) for row in rows])


def test_no_post_of_the_calibration_slice_is_trained_on(chain: Chain) -> None:
    kept, train, unlabelled = (
        {row["text"] for row in chain.rows(part)} for part in ("calibration", "train", "unlabelled")
    )
    assert len(kept) == int(0.03 * len(kept | train))
    assert len(unlabelled) > 60
    rehearsed = {prepare(clean(row["text"])) for row in rows_of(chain.home / "other.tsv.gz")}
    assert kept.isdisjoint(train | unlabelled | rehearsed)
    assert train.isdisjoint(unlabelled)
    soft = np.load(chain.home / "soft.npz")
    assert set(soft["texts"].tolist()) == train | unlabelled
    assert soft["chances"].sum(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("word", "meaning"), MEANS.items())
def test_a_german_word_becomes_a_piece_that_starts_at_its_translation(chain: Chain, word: str, meaning: str) -> None:
    assert len(chain.tokens("start", word)) > 1
    assert chain.tokens("words", word) == [word.lower()]
    assert chain.nearest(word.lower()) == meaning


def test_a_german_ending_becomes_a_piece_that_starts_at_its_word(chain: Chain) -> None:
    assert chain.tokens("words", "Pizzaservice Paketservice")[:2] == ["pizza", "##service"]
    assert chain.tokens("words", "Paketservice")[-1] == "##service"
    assert chain.nearest("##service") == "service"


@pytest.mark.parametrize(
    ("sign", "meanings"),
    [("💡", {"idea"}), ("📦", {"package", "delivery"}), ("🐍", {"snake"})],
    ids=["listed", "of two meanings", "by its name"],
)
def test_an_emoji_starts_at_its_meaning(chain: Chain, sign: str, meanings: set[str]) -> None:
    assert chain.tokens("start", sign) == ["[UNK]"]
    assert chain.nearest(sign) in meanings


@pytest.mark.parametrize("folder", ["words", "read", "teacher", "pupil", "shipped"])
@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Ärger😡😡schön", ["ärger", "😡", "😡", "schön"]),
        ("👍\U0001f3fd👍\U0001f3ff", ["👍", "👍"]),
        ("❤\ufe0f ❤", ["❤", "❤"]),
        ("schon SCHÖN scho\u0308n", ["schon", "schön", "schön"]),
        ("service\U0001fabf", ["service", "[UNK]"]),
    ],
    ids=["emoji amid words", "skin tones", "variants", "accents", "unknown emoji"],
)
def test_words_and_emoji_are_read_alike_by_every_folder(
    chain: Chain, folder: str, text: str, tokens: list[str]
) -> None:
    assert chain.tokens(folder, text) == tokens
    assert Tokenizer.from_file(str(chain.home / folder / "tokenizer.json")).encode(text).tokens[1:-1] == tokens


def test_the_same_command_gives_the_same_words_and_vectors(chain: Chain) -> None:
    chain.words("words-again")
    assert chain.weights("words-again") == chain.weights("words")
    first, second = (chain.home / name / "tokenizer.json" for name in ("words", "words-again"))
    assert first.read_bytes() == second.read_bytes()


def test_a_training_that_was_killed_and_continued_ends_with_the_weights_of_one_in_one_go(chain: Chain) -> None:
    command = [*chain.teacher("killed"), "--checkpoint-seconds", "0.2"]
    out = chain.home / "killed"
    out.mkdir()
    kill_at_checkpoint([chain.python, SCRIPTS / "train.py", *command], out)
    assert (out / "checkpoint.pt").is_file()
    assert not (out / "model.safetensors").exists()
    said = re.search(r"continuing after (\d+) of (\d+) batches", chain.step("train", *command))
    assert said
    assert 0 < int(said[1]) < int(said[2])
    assert chain.weights("killed") == chain.weights("teacher")
    assert not (out / "checkpoint.pt").exists()


def kill_at_checkpoint(command: Sequence[object], folder: Path) -> None:
    """Start a training, and kill it, as a power cut would, as soon as it has written a checkpoint into the folder."""
    with (
        subprocess.Popen(
            [str(part) for part in command], env=surroundings(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process,
        contextlib.ExitStack() as end,
    ):
        end.callback(process.kill)
        for changes in watch(folder, debounce=20, step=10, rust_timeout=1000, yield_on_timeout=True):
            if any(path.endswith("checkpoint.pt") for _, path in changes) or process.poll() is not None:
                break
    assert process.returncode == -signal.SIGKILL


def test_the_shipped_folder_says_what_the_trained_model_says(chain: Chain) -> None:
    rows = [*chain.rows("calibration"), *chain.rows("unlabelled"), *chain.rows("train")[:200]]
    temperature = json.loads((chain.home / "shipped/config.json").read_text())["crisisdesk"]["temperature"]
    told = np.array(load(chain.home / "shipped").score([row["text"] for row in rows]))
    meant = chances(chain.logits(rows), temperature)
    assert meant.max(axis=0).min() > 0.5
    assert np.abs(told - meant).mean() < 0.01
    assert np.abs(told - meant).max() < 0.08


def test_the_temperature_comes_from_the_calibration_slice_alone(chain: Chain) -> None:
    slice_, train = chain.rows("calibration"), chain.rows("train")
    logits = chain.logits([*slice_, *train])
    fits = likeliest(logits[: len(slice_)], numbers(slice_))
    fits_train = likeliest(logits[len(slice_) :], numbers(train))
    temperature = json.loads((chain.home / "shipped/config.json").read_text())["crisisdesk"]["temperature"]
    assert temperature == pytest.approx(fits, abs=0.1)
    assert abs(fits - fits_train) > 0.2
    shutil.rmtree(chain.home / "alone", ignore_errors=True)
    (chain.home / "alone").mkdir()
    said = [LABELS[best] for best in logits[: len(slice_)].argmax(axis=1)]
    rows = [(row["lang"], row["source"], label, row["text"]) for row, label in zip(slice_, said, strict=True)]
    write(chain.home / "alone/calibration.tsv.gz", rows)
    assert chain.export("alone", "sure") == pytest.approx(0.3)


def test_the_desk_runs_what_was_trained_and_finds_that_it_has_learnt(chain: Chain) -> None:
    shipped = chain.home / "shipped"
    evaluate = [DESK, "model", "evaluate", "--model", shipped, "--json"]
    learnt = json.loads(run(*evaluate, chain.home / "data/train.tsv.gz", "--by", "lang"))
    assert learnt["n"] == len(chain.rows("train"))
    assert learnt["accuracy"] > 0.6
    assert min(learnt["recall"].values()) > 0.45
    assert min(figures["accuracy"] for figures in learnt["by"].values()) > 0.5
    recorded = json.loads((shipped / "config.json").read_text())["crisisdesk"]["scores"]
    measured = json.loads(run(*evaluate, chain.home / "dev.tsv.gz", "--by", "source", "--by", "lang"))
    assert recorded["pooled"]["recall"] == measured["recall"]
    assert recorded["by"]["lang"]["de"]["macro_f1"] == measured["by"]["lang"]["de"]["macro_f1"]
    assert "posts_per_second" not in recorded["pooled"]


HEAD = "lang\tsource\tlabel\ttext"


@pytest.mark.parametrize(
    ("head", "rows", "said"),
    [
        (None, [], "mine.tsv.gz cannot be read"),
        ("", [], "mine.tsv.gz:1: no column lang, source, label, text"),
        ("lang\tsource\tmood\ttext", [["en", "me", "negative", "bad"]], "mine.tsv.gz:1: no column label;"),
        (HEAD, [["en", "me", "negative", "bad"], ["en", "bad"]], "mine.tsv.gz:3: 2 cells, but the header has 4"),
        (HEAD, [["en", "me", "angry", "bad"]], "label 'angry', not negative, neutral, positive: bad"),
    ],
    ids=["no file", "empty", "header", "cells", "label"],
)
def test_a_file_that_is_not_as_it_should_be_is_named(
    tmp_path: Path, head: str | None, rows: list[list[str]], said: str
) -> None:
    path = tmp_path / "mine.tsv.gz"
    if head is not None:
        write(path, rows, head)
    error = run(sys.executable, SCRIPTS / "prepare.py", path, "--out", tmp_path / "data", fails=True)
    assert said in error
    assert "Traceback" not in error


def test_a_folder_that_is_missing_is_named(torch_python: Path, tmp_path: Path) -> None:
    error = run(torch_python, SCRIPTS / "train.py", "--base", tmp_path / "nowhere", fails=True)
    assert f"there is no folder {tmp_path / 'nowhere'}" in error
    assert "Traceback" not in error
