"""A BERT classifier as an ONNX graph with 8-bit weights, in which a post's scores cannot depend on its neighbours.

Ordinary dynamic quantisation takes one activation scale from the whole batch, so a post is scored differently in
other company (by up to 0.1 here). In this graph every token has a scale of its own, all matrix products are exact
integer sums, and posts of one batch have one length, so there is neither padding nor a mask. models/README.md has the
measurements of the other ways.

Inside, the first axis is the token and the second the post. So the attention of a head reads its part of the rows in
place, where other layouts copy four times a layer, and the first tokens, all that the last layer has to work out, lie
together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MICROSOFT: Final = "com.microsoft"
Attribute: TypeAlias = int | float | str | list[int]
WEIGHT_STEPS: Final = 64
"""Weights use -64..64 of 8 bits: without VNNI a CPU adds two products in 16 bits, and 255 * 64 * 2 still fits."""
TABLE_STEPS: Final = 127
TOKEN_STEPS: Final = 127
MIDDLE: Final = 128
"""The byte that stands for 0 in a token."""
LEAST: Final = 1e-6
"""Taken for the largest value of a token of zeros."""
GELU_LOWEST: Final = 0.17
"""Gelu never goes below -0.16998, so nobody has to look for its largest negative value."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A hidden state in whole numbers: names of the bytes (tokens, posts, width) and the scales (tokens, posts, 1)."""

    bytes: str
    scale: str


def quantise_rows(table: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers (rows, columns) in -steps..steps, and the scales (rows, 1) that give the table back."""
    scale = np.maximum(np.abs(table).max(axis=1, keepdims=True) / steps, 1e-12).astype(np.float32)
    return np.round(table / scale).astype(np.int8), scale


class Graph:
    """Collects nodes and constants under unique names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: np.ndarray | np.generic) -> str:
        """Store a constant once under its name, and return the name."""
        self.constants.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(value).reshape(value.shape), name))
        return name

    def add(self, kind: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Attribute) -> list[str]:
        """Append a node and return the names of its outputs."""
        name = f"{kind}_{len(self.nodes)}"
        results = [f"{name}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), results, name, domain=domain, **attributes))
        return results

    def one(self, kind: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401 - as `add` takes them
        """Append a node with one output and return the name of that."""
        return self.add(kind, *inputs, **attributes)[0]


class Classifier:
    """Builds the graph of a `BertForSequenceClassification` from its weights."""

    def __init__(
        self, config: Mapping[str, Any], weights: Mapping[str, np.ndarray], sizes: Mapping[str, np.ndarray], tokens: int
    ) -> None:
        self._config = config
        self._weights = dict(weights)
        self._norms = sizes
        self._sizes: dict[str, np.ndarray] = {}
        self._max_tokens = tokens
        self._graph = Graph()

    def build(self) -> onnx.ModelProto:
        """The graph: `input_ids` (posts, tokens), all posts of one length, to `logits` (posts, labels)."""
        hidden = self._embed()
        last = self._config["num_hidden_layers"] - 1
        for number in range(last + 1):
            hidden = self._layer(hidden, f"bert.encoder.layer.{number}", only_first=number == last)
        self._classify(hidden)
        graph = helper.make_graph(
            self._graph.nodes,
            "posts",
            [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["posts", "tokens"])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["posts", len(self._config["id2label"])])],
            list(self._graph.constants.values()),
        )
        versions = [helper.make_opsetid("", 21), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=versions, ir_version=10, producer_name="crisisdesk")

    def _row(self, name: str, extra: np.ndarray | float = 0.0) -> str:
        """A bias (outputs,) as (1, 1, outputs).

        onnxruntime joins an addition of one axis with gelu or with the norm after it into one operator, and those take
        1.2 and 6 times as long as their parts (1.31, one thread); three axes keep it from that.
        """
        return self._graph.constant(f"{name}.row", (self._weights[f"{name}.bias"] + np.float32(extra))[None, None])

    def _embed(self) -> str:
        """Word, position and type vectors added and normalised: (tokens, posts, width)."""
        add, constant = self._graph.one, self._graph.constant
        prefix = "bert.embeddings"
        ids = add("Transpose", "input_ids", perm=[1, 0])
        table, scale = quantise_rows(self._weights[f"{prefix}.word_embeddings.weight"], TABLE_STEPS)
        words = add("Cast", add("Gather", constant("words", table), ids), to=TensorProto.FLOAT)
        words = add("Mul", words, add("Gather", constant("words.scale", scale), ids))
        table = self._weights[f"{prefix}.position_embeddings.weight"][: self._max_tokens]
        table = table + self._weights[f"{prefix}.token_type_embeddings.weight"][0]
        first, count = constant("zero", np.array([0])), add("Shape", ids, start=0, end=1)
        places = add("Slice", constant("places", table[:, None]), first, count, first)
        return self._norm(add("Add", words, places), f"{prefix}.LayerNorm")

    def _norm(self, hidden: str, name: str) -> str:
        parts = [self._graph.constant(f"{name}.{part}", self._weights[f"{name}.{part}"]) for part in ("weight", "bias")]
        epsilon = self._config["layer_norm_eps"]
        normal = self._graph.one("LayerNormalization", hidden, *parts, axis=-1, epsilon=epsilon)
        self._sizes[normal] = self._norms[name]
        return normal

    def _even(self, normal: str, *readers: str) -> str:
        """What a norm gave, its large channels shrunk, and the weights of the layers that read them grown by as much.

        A few channels are five times as large as the others and would take most of a token's steps; half of that, as a
        square root, is left to the weights (SmoothQuant, Xiao et al. 2022, <https://arxiv.org/abs/2211.10438>).
        """
        most = np.max([np.abs(self._weights[f"{reader}.weight"]).max(axis=0) for reader in readers], axis=0)
        shrink = np.sqrt(np.maximum(most, LEAST) / np.maximum(self._sizes[normal], LEAST)).astype(np.float32)
        shrink /= np.exp(np.log(shrink).mean())
        for reader in readers:
            self._weights[f"{reader}.weight"] = self._weights[f"{reader}.weight"] / shrink
        return self._graph.one("Mul", normal, self._graph.constant(f"{normal}.shrink", shrink[None, None]))

    def _whole(self, hidden: str, width: int) -> Whole:
        """Each token in whole numbers by its own largest value."""
        return self._rounded(hidden, width, self._graph.one("Abs", hidden), LEAST)

    def _rounded(self, hidden: str, width: int, sizes: str, least: float) -> Whole:
        """Each token so that the largest of `sizes`, but no less than `least`, becomes `TOKEN_STEPS`."""
        add, constant = self._graph.one, self._graph.constant
        largest = add("ReduceMax", sizes, constant("last", np.array([-1])), keepdims=1)
        largest = add("Max", largest, constant(f"least.{least}", np.float32(least)))
        scale = add("Mul", largest, constant("step", np.float32(1 / TOKEN_STEPS)))
        zeros = add("Expand", constant("middle", np.uint8(MIDDLE)), add("Shape", scale))
        return Whole(add("QuantizeLinear", hidden, scale, zeros, axis=-1, block_size=width), scale)

    def _first(self, hidden: str) -> str:
        """The first token of every post: (1, posts, width)."""
        first, second = self._graph.constant("zero", np.array([0])), self._graph.constant("one", np.array([1]))
        return self._graph.one("Slice", hidden, first, second, first)

    def _product(self, whole: Whole, name: str) -> str:
        """`whole` times the weight of a layer, 8 bits each, a scale for each token and output; without the bias."""
        table, scale = quantise_rows(self._weights[f"{name}.weight"], WEIGHT_STEPS)
        constant = self._graph.constant
        one, middle = constant("one.float", np.float32(1)), constant("middle", np.uint8(MIDDLE))
        weights = [constant(f"{name}.weight", table.T), one, constant(f"{name}.scale", scale[:, 0]), middle]
        product = self._graph.one("MatMulIntegerToFloat", whole.bytes, *weights, domain=MICROSOFT)
        return self._graph.one("Mul", product, whole.scale)

    def _attend(self, query: str, key: str, value: str) -> str:
        """What each query sees of the values, head by head: all (tokens, posts, width)."""
        heads = self._config["num_attention_heads"]
        size = self._config["hidden_size"] // heads
        add, constant = self._graph.one, self._graph.constant
        query, key, value = (
            add("Reshape", part, constant("by.head", np.array([0, 0, heads, size]))) for part in (query, key, value)
        )
        fused: dict[str, Any] = {"domain": MICROSOFT, "transBatchB": 1}
        alike = add("FusedMatMul", query, key, transBatchA=1, transB=1, alpha=size**-0.5, **fused)
        seen = add("FusedMatMul", add("Softmax", alike, axis=-1), value, **fused)
        return add("Reshape", add("Transpose", seen, perm=[2, 0, 1, 3]), constant("joined", np.array([0, 0, -1])))

    def _layer(self, hidden: str, name: str, *, only_first: bool) -> str:
        """Attention and feed-forward, each added to its input and normalised; `only_first`: for the first tokens."""
        add, own, dense = self._graph.one, f"{name}.attention.self", f"{name}.attention.output.dense"
        width = self._config["hidden_size"]
        even = self._even(hidden, f"{own}.query", f"{own}.key", f"{own}.value")
        whole = asking = self._whole(even, width)
        if only_first:
            hidden, asking = self._first(hidden), Whole(self._first(whole.bytes), self._first(whole.scale))
        query = add("Add", self._product(asking, f"{own}.query"), self._row(f"{own}.query"))
        # The key's bias moves all of a query's weights alike, which softmax undoes; the value's passes on as it is.
        passed = self._weights[f"{dense}.weight"] @ self._weights[f"{own}.value.bias"]
        seen = self._attend(query, self._product(whole, f"{own}.key"), self._product(whole, f"{own}.value"))
        seen = add("Add", self._product(self._whole(seen, width), dense), self._row(dense, passed))
        hidden = self._norm(add("Add", seen, hidden), f"{name}.attention.output.LayerNorm")
        dense = f"{name}.intermediate.dense"
        whole = self._whole(self._even(hidden, dense), width)
        wide = add("Gelu", add("Add", self._product(whole, dense), self._row(dense)))
        dense = f"{name}.output.dense"
        whole = self._rounded(wide, self._config["intermediate_size"], wide, GELU_LOWEST)
        change = add("Add", self._product(whole, dense), self._row(dense))
        return self._norm(add("Add", change, hidden), f"{name}.output.LayerNorm")

    def _classify(self, first: str) -> None:
        """Logits from the first tokens; integer products too, since one row of floats is summed unlike many."""
        add, width = self._graph.one, self._config["hidden_size"]
        dense = "bert.pooler.dense"
        pooled = add("Tanh", add("Add", self._product(self._whole(first, width), dense), self._row(dense)))
        logits = self._product(self._whole(pooled, width), "classifier")
        logits = add("Add", logits, self._row("classifier"))
        axis = self._graph.constant("zero", np.array([0]))
        self._graph.nodes.append(helper.make_node("Squeeze", [logits, axis], ["logits"], "logits"))


def export(
    config: Mapping[str, Any],
    weights: Mapping[str, np.ndarray],
    sizes: Mapping[str, np.ndarray],
    tokens: int,
    path: Path,
) -> Sequence[str]:
    """Write the graph.

    Args:
        config: of the model, as in its `config.json`.
        weights: by their names in transformers.
        sizes: by the name of a norm, the largest value (width,) of each channel behind it, as `sizes.py` finds them.
        tokens: of a post at most.
        path: where to.

    Returns:
        The kinds of nodes used.

    Raises:
        SystemExit: the model is of a kind that this cannot build.
    """
    if config["model_type"] != "bert" or config["hidden_act"] != "gelu":
        raise SystemExit(
            f"Only BERT with gelu can be exported, not {config['model_type']} with {config['hidden_act']}."
        )
    model = Classifier(config, weights, sizes, tokens).build()
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return sorted({node.op_type for node in model.graph.node})
