"""The training loop of `train.py`: batches of like length, checkpoints, a mean of the weights."""

import copy
import hashlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import nn
from tqdm import tqdm  # type: ignore[import-untyped]
from transformers import get_linear_schedule_with_warmup

SEED: Final = 2008
MAX_TOKENS: Final = 64
BATCH: Final = 32
CHECKPOINT_SECONDS: Final = 180.0
MEAN_STEPS: Final = 600
"""Steps over which the running mean of the weights reaches back."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A post as it is learnt: token ids (length,) and target probabilities (3,)."""

    ids: list[int]
    target: np.ndarray


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids and attention mask (posts, length), and targets (posts, 3)."""

    ids: torch.Tensor
    mask: torch.Tensor
    targets: torch.Tensor


def digest_of(lessons: Sequence[Lesson]) -> str:
    """A fingerprint of what is learnt: every token and every target."""
    total = hashlib.sha256()
    for lesson in lessons:
        total.update(np.array(lesson.ids, np.int32).tobytes() + lesson.target.astype(np.float32).tobytes())
    return total.hexdigest()


def collate(lessons: Sequence[Lesson], pad: int, device: torch.device) -> Batch:
    """Lessons as one padded batch."""
    longest = max(len(lesson.ids) for lesson in lessons)
    ids = torch.tensor([lesson.ids + [pad] * (longest - len(lesson.ids)) for lesson in lessons])
    mask = torch.tensor([[1] * len(lesson.ids) + [0] * (longest - len(lesson.ids)) for lesson in lessons])
    targets = torch.from_numpy(np.stack([lesson.target for lesson in lessons]).astype(np.float32))
    return Batch(ids.to(device), mask.to(device), targets.to(device))


def batches(lessons: Sequence[Lesson]) -> Iterator[list[Lesson]]:
    """Pass after pass: shuffled by a seed of its own, sorted by length within 50 batches, batches shuffled again."""
    for number in count():
        rng = np.random.default_rng(SEED + number)
        order = rng.permutation(len(lessons))
        chunks = [order[i : i + 50 * BATCH] for i in range(0, len(order), 50 * BATCH)]
        chunks = [chunk[np.argsort([len(lessons[i].ids) for i in chunk], kind="stable")] for chunk in chunks]
        made = [chunk[i : i + BATCH] for chunk in chunks for i in range(0, len(chunk), BATCH)]
        rng.shuffle(made)
        yield from ([lessons[i] for i in indices] for indices in made)


class Run:
    """A training run that can be interrupted: what is trained, its running mean, and how far it is."""

    def __init__(
        self,
        model: nn.Module,
        loss_of: Callable[[Batch], torch.Tensor],
        rate: float,
        total: int,
        checkpoint: Path,
        *,
        about: str = "",
        seconds: float = CHECKPOINT_SECONDS,
    ) -> None:
        """Prepare.

        Args:
            model: what is trained.
            loss_of: the loss of a batch.
            rate: the highest learning rate.
            total: batches of the whole run.
            checkpoint: where it is kept how far the run is.
            about: what else makes this run another than one with the same posts, batches and rate.
            seconds: from one checkpoint to the next.
        """
        self.mean = copy.deepcopy(model).eval()
        self.total, self.done = total, 0
        self._model, self._loss_of, self._rate = model, loss_of, rate
        self._checkpoint, self._about, self._seconds = checkpoint, about, seconds
        self._optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01, fused=True)
        self._schedule = get_linear_schedule_with_warmup(  # type: ignore[no-untyped-call]
            self._optimizer, total // 16, total
        )

    @property
    def _parts(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.optim.lr_scheduler.LRScheduler]:
        return {"model": self._model, "mean": self.mean, "optimizer": self._optimizer, "schedule": self._schedule}

    def go(self, lessons: Sequence[Lesson], pad: int) -> None:
        """Run all steps; on a CPU a run that was interrupted and continued ends with the weights of one in one go.

        Raises:
            SystemExit: the checkpoint is of a run with other arguments.
        """
        plan = {"batches": self.total, "posts": digest_of(lessons), "rate": self._rate, "about": self._about}
        self._resume(plan)
        device = next(self._model.parameters()).device
        smooth, saved_at = None, time.monotonic()
        bar = tqdm(total=self.total, initial=self.done, unit="batch", mininterval=10)
        for number, some in enumerate(islice(batches(lessons), self.total)):
            if number < self.done:
                continue
            loss = self._step(collate(some, pad, device))
            smooth = loss if smooth is None else 0.98 * smooth + 0.02 * loss
            bar.set_postfix(loss=f"{smooth:.3f}", refresh=False)
            bar.update()
            if time.monotonic() - saved_at > self._seconds:
                self._save(plan)
                saved_at = time.monotonic()
        bar.close()

    def forget(self) -> None:
        """Delete the checkpoint, once the result is saved."""
        self._checkpoint.unlink(missing_ok=True)

    def _step(self, batch: Batch) -> float:
        """Learn from one batch; returns the loss."""
        with torch.autocast(batch.ids.device.type, dtype=torch.bfloat16):
            loss = self._loss_of(batch)
        loss.backward()
        nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimizer.step()
        self._schedule.step()
        self._optimizer.zero_grad()
        self.done += 1
        with torch.no_grad():
            share = 1 - min(1 - 1 / MEAN_STEPS, self.done / (self.done + 10))
            torch._foreach_lerp_(list(self.mean.parameters()), list(self._model.parameters()), share)
        return float(loss.item())

    def _resume(self, plan: Mapping[str, float | str]) -> None:
        if not self._checkpoint.exists():
            return
        saved = torch.load(self._checkpoint, weights_only=True)
        if saved.get("plan") != plan:
            raise SystemExit(
                f"{self._checkpoint} is of a run with other arguments or posts; repeat the command of that run"
                " to continue it, delete the file to begin anew, or choose another --out."
            )
        for name, part in self._parts.items():
            part.load_state_dict(saved[name])
        torch.set_rng_state(saved["random"])
        self.done = saved["done"]
        print(f"continuing after {self.done:,} of {self.total:,} batches", flush=True)

    def _save(self, plan: Mapping[str, float | str]) -> None:
        """Write the checkpoint, whole or not at all."""
        state = {name: part.state_dict() for name, part in self._parts.items()}
        fresh = self._checkpoint.with_suffix(".new")
        torch.save(state | {"plan": plan, "done": self.done, "random": torch.get_rng_state()}, fresh)
        fresh.replace(self._checkpoint)


def steps(lessons: Sequence[Lesson], passes: float) -> int:
    """How many batches so many passes have."""
    return round(math.ceil(len(lessons) / BATCH) * passes)


def device() -> torch.device:
    """A GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
