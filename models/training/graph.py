"""A BERT classifier as an ONNX graph with 8-bit weights, in which a post's scores cannot depend on its neighbours.

Ordinary dynamic quantisation takes one activation scale from the whole batch, so a post is scored differently in
other company (by up to 0.1 here). In this graph every token has a scale of its own, all matrix products are exact
integer sums, and posts of one batch have one length, so there is neither padding nor a mask. models/README.md has the
measurements of the other ways.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MICROSOFT: Final = "com.microsoft"
Attribute: TypeAlias = int | float
WEIGHT_STEPS: Final = 64
"""Weights use -64..64 of 8 bits: without VNNI a CPU adds two products in 16 bits, and 255 * 64 * 2 still fits."""
TABLE_STEPS: Final = 127


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

    def one(self, kind: str, *inputs: str, **attributes: Attribute) -> str:
        """Append a node with one output and return the name of that."""
        return self.add(kind, *inputs, **attributes)[0]


class Classifier:
    """Builds the graph of a `BertForSequenceClassification` from its weights."""

    def __init__(self, config: Mapping[str, Any], weights: Mapping[str, np.ndarray], max_tokens: int) -> None:
        self._config = config
        self._weights = weights
        self._max_tokens = max_tokens
        self._graph = Graph()

    def build(self) -> onnx.ModelProto:
        """The graph: `input_ids` (posts, tokens), all posts of one length, to `logits` (posts, labels)."""
        hidden = self._embed()
        for number in range(self._config["num_hidden_layers"]):
            hidden = self._layer(hidden, f"bert.encoder.layer.{number}")
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

    def _dense(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Weight (outputs, inputs) and bias (outputs,) of a layer."""
        return self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]

    def _bias(self, name: str) -> str:
        return self._graph.constant(f"{name}.bias", self._weights[f"{name}.bias"])

    def _embed(self) -> str:
        """Word, position and type vectors added and normalised: (posts, tokens, width)."""
        add, constant = self._graph.one, self._graph.constant
        prefix = "bert.embeddings"
        table, scale = quantise_rows(self._weights[f"{prefix}.word_embeddings.weight"], TABLE_STEPS)
        words = add("Cast", add("Gather", constant("words", table), "input_ids"), to=TensorProto.FLOAT)
        words = add("Mul", words, add("Gather", constant("words.scale", scale), "input_ids"))
        places = self._weights[f"{prefix}.position_embeddings.weight"][: self._max_tokens]
        places = places + self._weights[f"{prefix}.token_type_embeddings.weight"][0]
        first, count = constant("zero", np.array([0])), add("Shape", "input_ids", start=1, end=2)
        places = add("Slice", constant("places", places), first, count, first)
        norm = [
            self._graph.constant(f"{prefix}.norm.{part}", self._weights[f"{prefix}.LayerNorm.{part}"])
            for part in ("weight", "bias")
        ]
        return add(
            "LayerNormalization", add("Add", words, places), *norm, axis=-1, epsilon=self._config["layer_norm_eps"]
        )

    def _product(self, name: str, hidden: str, weight: np.ndarray) -> str:
        """`hidden` (..., inputs) times `weight` (outputs, inputs), 8 bits each, a scale for each token and output."""
        add, constant = self._graph.one, self._graph.constant
        table, scale = quantise_rows(weight, WEIGHT_STEPS)
        one, middle = constant("one.float", np.float32(1)), constant("middle", np.uint8(128))
        largest = add("ReduceMax", add("Abs", hidden), constant("last", np.array([-1])), keepdims=1)
        largest = add("Max", largest, constant("tiny", np.float32(1e-6)))
        token_scale = add("Mul", largest, constant("step", np.float32(1 / 127)))
        whole = add("QuantizeLinear", add("Div", hidden, token_scale), one, middle)
        weights = [constant(f"{name}.weight", table.T), one, constant(f"{name}.scale", scale[:, 0]), middle]
        return add("Mul", add("MatMulIntegerToFloat", whole, *weights, domain=MICROSOFT), token_scale)

    def _add_and_norm(self, change: str, hidden: str, dense: str, norm: str) -> str:
        parts = [self._graph.constant(f"{norm}.{part}", self._weights[f"{norm}.{part}"]) for part in ("weight", "bias")]
        epsilon = self._config["layer_norm_eps"]
        return self._graph.one(
            "SkipLayerNormalization", change, hidden, *parts, self._bias(dense), domain=MICROSOFT, epsilon=epsilon
        )

    def _layer(self, hidden: str, name: str) -> str:
        """Attention and feed-forward, each added to its input and normalised."""
        parts = [self._dense(f"{name}.attention.self.{part}") for part in ("query", "key", "value")]
        joined = self._product(f"{name}.qkv", hidden, np.concatenate([weight for weight, _ in parts]))
        bias = self._graph.constant(f"{name}.qkv.bias", np.concatenate([bias for _, bias in parts]))
        split = self._graph.add("Split", joined, outputs=3, axis=-1, num_outputs=3)
        heads = self._config["num_attention_heads"]
        seen = self._graph.one("MultiHeadAttention", *split, bias, domain=MICROSOFT, num_heads=heads)
        dense = f"{name}.attention.output.dense"
        seen = self._product(dense, seen, self._dense(dense)[0])
        hidden = self._add_and_norm(seen, hidden, dense, f"{name}.attention.output.LayerNorm")
        dense = f"{name}.intermediate.dense"
        wide = self._product(dense, hidden, self._dense(dense)[0])
        wide = self._graph.one("BiasGelu", wide, self._bias(dense), domain=MICROSOFT)
        dense = f"{name}.output.dense"
        return self._add_and_norm(
            self._product(dense, wide, self._dense(dense)[0]), hidden, dense, f"{name}.output.LayerNorm"
        )

    def _classify(self, hidden: str) -> None:
        """Logits from the first token; integer products here too, since one row of floats is summed unlike many."""
        add, constant = self._graph.one, self._graph.constant
        first, second = constant("zero", np.array([0])), constant("one", np.array([1]))
        start = add("Squeeze", add("Slice", hidden, first, second, second), second)
        pooled = self._product("bert.pooler.dense", start, self._dense("bert.pooler.dense")[0])
        pooled = add("Tanh", add("Add", pooled, self._bias("bert.pooler.dense")))
        logits = self._product("classifier", pooled, self._dense("classifier")[0])
        self._graph.nodes.append(helper.make_node("Add", [logits, self._bias("classifier")], ["logits"], "logits"))


def export(config: Mapping[str, Any], weights: Mapping[str, np.ndarray], max_tokens: int, path: Path) -> Sequence[str]:
    """Write the graph to `path`; raises if onnx finds a mistake in it. Returns the kinds of nodes used."""
    if config["model_type"] != "bert" or config["hidden_act"] != "gelu":
        raise SystemExit(
            f"Only BERT with gelu can be exported, not {config['model_type']} with {config['hidden_act']}."
        )
    model = Classifier(config, weights, max_tokens).build()
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return sorted({node.op_type for node in model.graph.node})
