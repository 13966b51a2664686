"""Train the network: resumable, seeded, the best by validation kept."""

import copy
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from models.training.cut import start_from_imagenet
from models.training.loss import Loss
from models.training.network import Network, network_of, normalise
from models.training.pool import Batches, Pool
from models.training.resume import renormalise
from vision.detection.grades import processor_words

_TRUNK_SHARE = 0.25
"""Learning rate of the pretrained trunk relative to that of what starts from nothing."""
_HALVES = bool(processor_words() & {"avx512_bf16", "amx_bf16"})
"""Whether the processor multiplies bfloat16: without it, a step took three times as long as in float32."""


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How a network is trained.

    Attributes:
        images: how many augmented pictures are seen in all.
        batch: pictures a step.
        rate: highest learning rate.
        size: width and height of the input.
        frozen: blocks at the beginning of the trunk (and the stem) that stay as they were.
        cooldown: last share of the run in which the learning rate falls to nothing.
        compiled: translate the network to machine code first: takes some minutes, then steps are faster.
        norms_fixed: keep all normalisations as they are: where pictures come from a single camera.
        seed: of every random choice.
    """

    images: int = 60_000
    batch: int = 16
    rate: float = 1.5e-3
    size: tuple[int, int] = (640, 352)
    frozen: int = 4
    cooldown: float = 0.35
    compiled: bool = False
    norms_fixed: bool = False
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        images: pictures seen.
        loss: mean of the last steps, (classes, boxes).
        speed: pictures a second.
        score: of the last validation, None before the first.
        best: the best validation so far.
    """

    images: int
    loss: tuple[float, float]
    speed: float
    score: float | None
    best: float | None


Validate = Callable[[nn.Module], float]


class Trainer:
    """One training run, which goes on from its last checkpoint.

    Args:
        pool: what is learnt from.
        folder: for ``last.pt`` and ``best.pt``, and ``start.pt`` if it begins with weights; made if missing.
        settings: of the run.
        validate: scores a network; higher is better. The best is kept in ``best.pt``.
        network: to be trained; where the folder holds a checkpoint, that one goes on instead.
        fresh: whether the network has learnt nothing yet, so that its trunk is to be ImageNet's.
    """

    def __init__(
        self,
        pool: Pool,
        folder: Path,
        settings: TrainSettings,
        validate: Validate,
        network: Network,
        *,
        fresh: bool,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(settings.seed)
        self.settings, self._pool, self._folder, self._validate = settings, pool, folder, validate
        self.network = network
        self._images = 0
        self._best: float | None = None
        self._score: float | None = None
        last = folder / "last.pt"
        state = torch.load(last, weights_only=True) if last.exists() else None
        if state is not None:
            self.network = network_of(state["network"])
        elif fresh:
            start_from_imagenet(self.network, self._some_images(24))
        elif not settings.norms_fixed:
            renormalise(self.network, self._some_images(48))
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._freeze()
        self.average = copy.deepcopy(self.network).eval()
        self._forward = torch.compile(self.network) if settings.compiled else self.network
        self._optimiser = torch.optim.AdamW(self._groups(), lr=settings.rate, weight_decay=0.02)
        if state is not None:
            self.average.load_state_dict(state["average"])
            self._optimiser.load_state_dict(state["optimiser"])
            self._images, self._best = state["images"], state["best"]
        elif not fresh:
            # What one begins with is the one to beat: a run must not make it worse.
            self._check()
            self._save("start.pt")

    def run(self, *, check_every: int = 6000, save_every: float = 240.0) -> Iterator[Progress]:
        """Train to the end, telling how far it is about twice a minute."""
        settings = self.settings
        loss_of = Loss(settings.size)
        # Another seed after every start: a run that is resumed must not see the same pictures again.
        batches = Batches(self._pool, settings.size, settings.batch, settings.seed + self._images)
        loader = DataLoader(batches, batch_size=None, num_workers=1, prefetch_factor=4)
        began = told = saved = time.monotonic()
        seen_before, recent = self._images, []
        due = (self._images // check_every + 1) * check_every
        for images, boxes, known in loader:
            recent.append(self._step(loss_of, images, boxes, known))
            now = time.monotonic()
            if self._images >= due:
                self._check()
                due += check_every
            if now - saved > save_every:
                self._save("last.pt")
                saved = now
            if now - told > 30:
                classes, sides = np.mean(recent, axis=0)
                speed = (self._images - seen_before) / (now - began)
                yield Progress(self._images, (float(classes), float(sides)), speed, self._score, self._best)
                told, recent = now, []
            if self._images >= settings.images:
                break
        self._check()
        self._save("last.pt")
        yield Progress(self._images, (0.0, 0.0), 0.0, self._score, self._best)

    def _step(self, loss_of: Loss, images: Tensor, boxes: Tensor, known: Tensor) -> tuple[float, float]:
        settings, rate = self.settings, self._rate()
        for group in self._optimiser.param_groups:
            group["lr"] = rate * group["share"]
        self.network.train(not settings.norms_fixed)
        for part in (self.network.stem, self.network.blocks):
            part.eval()  # its normalisation keeps ImageNet's statistics: a batch of 16 has none as good
        pixels = images.to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=_HALVES):
            logits, sides = self._forward(normalise(pixels))
        losses = loss_of(logits.float(), sides.float(), boxes, known)
        self._optimiser.zero_grad()
        losses.total.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self._images += len(images)
        # A box without width or height has no gradient: such a step would end the run.
        if torch.isfinite(norm):
            self._optimiser.step()
            self._blend()
        return float(losses.classes.detach()), float(losses.boxes.detach())

    def _rate(self) -> float:
        """Warm up, stay, cool down: a longer run goes on from before the cooldown without loss."""
        settings = self.settings
        warm = min(1.0, (self._images + settings.batch) / 2000)
        left = (settings.images - self._images) / (settings.cooldown * settings.images)
        return settings.rate * warm * float(np.clip(left, 0.02, 1.0))

    def _blend(self) -> None:
        """Move the average of the weights on; faster at first, when it is of nothing yet."""
        steps = self._images / self.settings.batch
        keep = min(0.9985, steps / (steps + 20))
        with torch.no_grad():
            for ours, theirs in zip(
                self.average.state_dict().values(), self.network.state_dict().values(), strict=True
            ):
                if ours.dtype.is_floating_point:
                    ours.lerp_(theirs, 1 - keep)
                else:
                    ours.copy_(theirs)

    def _groups(self) -> list[dict[str, Any]]:
        groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for name, parameter in self.network.named_parameters():
            if parameter.requires_grad:
                trunk = name.startswith(("stem", "blocks"))
                groups.setdefault((trunk, parameter.ndim > 1), []).append(parameter)
        return [
            {
                "params": parameters,
                "share": _TRUNK_SHARE if trunk else 1.0,
                "weight_decay": 0.02 if matrix else 0.0,
            }
            for (trunk, matrix), parameters in groups.items()
        ]

    def _freeze(self) -> None:
        frozen = self.settings.frozen
        for part in [self.network.stem, *self.network.blocks[:frozen]] if frozen else []:
            for parameter in part.parameters():
                parameter.requires_grad = False

    def _some_images(self, count: int) -> Tensor:
        batches = Batches(self._pool, self.settings.size, count, self.settings.seed)
        images, _, _ = next(iter(batches))
        return images.float()

    def _check(self) -> None:
        self._score = self._validate(self.average)
        if self._best is None or self._score > self._best:
            self._best = self._score
            self._save("best.pt")

    def _save(self, name: str) -> None:
        part = self._folder / f"{name}.part"
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "images": self._images,
            "best": self._best,
        }
        torch.save(state, part)
        part.replace(self._folder / name)
        about = {**asdict(self.settings), "seen": self._images, "torch": torch.__version__}
        (self._folder / "run.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
