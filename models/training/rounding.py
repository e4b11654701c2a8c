"""The rounding of `graph.py`, felt while training, so that the weights settle where it costs little.

Forward all that is multiplied is rounded to as many steps as in the graph. It is not the same to the last bit: the
graph evens large channels out first, rounds the table of words too, and multiplies whole numbers, where training may
use bfloat16. Backward the rounding counts as the identity (the straight-through estimator of Bengio et al. 2013,
<https://arxiv.org/abs/1308.3432>).
"""

from collections.abc import Callable
from typing import Any

import torch
from graph import GELU_LOWEST, LEAST, TOKEN_STEPS, WEIGHT_STEPS
from torch import nn
from torch.func import functional_call
from transformers import BertForSequenceClassification

Hook = Callable[[nn.Module, tuple[torch.Tensor, ...]], tuple[torch.Tensor, ...]]


def rounded(rows: torch.Tensor, steps: int, least: float = LEAST) -> torch.Tensor:
    """Each row (…, width) in whole steps, the largest value being `steps` of them, but no less than `least`."""
    rows = rows.float()
    exact = rows.detach()
    step = exact.abs().amax(dim=-1, keepdim=True).clamp(min=least) / steps
    return rows + ((exact / step).round() * step - exact)


def round_tokens(model: BertForSequenceClassification) -> None:
    """From now on what `model` multiplies by weights is rounded first, token by token."""
    for layer in model.bert.encoder.layer:
        seen = layer.attention.self
        seen.register_forward_pre_hook(_tokens())
        # The graph adds the value's bias only after this rounding.
        layer.attention.output.dense.register_forward_pre_hook(_tokens(apart=seen.value.bias))
        layer.intermediate.dense.register_forward_pre_hook(_tokens())
        layer.output.dense.register_forward_pre_hook(_tokens(least=GELU_LOWEST))
    model.bert.pooler.dense.register_forward_pre_hook(_tokens())
    model.classifier.register_forward_pre_hook(_tokens())


def _tokens(*, least: float = LEAST, apart: torch.Tensor | None = None) -> Hook:
    def hook(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        first, *others = inputs
        whole = rounded(first, TOKEN_STEPS, least) if apart is None else rounded(first - apart, TOKEN_STEPS) + apart
        return whole, *others

    return hook


def forward_rounded(model: BertForSequenceClassification, **inputs: torch.Tensor) -> Any:  # noqa: ANN401 - as the model
    """What `model` says with rounded weights; its own stay as they are, and learn."""
    weights = {
        f"{name}.weight": rounded(part.weight, WEIGHT_STEPS)
        for name, part in model.named_modules()
        if isinstance(part, nn.Linear)
    }
    return functional_call(model, weights, kwargs=inputs)
