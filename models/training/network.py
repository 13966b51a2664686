"""The network: EfficientNet-Lite0 cut to what junction cameras need, a small dense neck and head.

Trunk: stem and blocks 0 to 12 or 14, with all or the strongest of their hidden channels
(:mod:`models.training.cut` chooses them), read at strides 8, 16 and 32. Neck: dense 3×3 convolutions,
top-down and bottom-up. Head: class scores and the four distances from a cell's centre to the box's sides, in
strides. ReLU6 throughout: made for 8 bits. How large all this is, its :class:`Plan` says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from vision.types import CLASS_COUNT

STRIDES = (8, 16, 32)
_STAGES = ((16, 3, 1, 1), (24, 3, 2, 2), (40, 5, 2, 2), (80, 3, 2, 3), (112, 5, 1, 3), (192, 5, 2, 4))
"""EfficientNet-Lite0 up to block 14: channels out, kernel, stride, repeats (Tan and Le 2019, table 1)."""
_LEVELS = (4, 10)  # blocks whose output is read at strides 8 and 16; at 32 the last one's
_WIDTHS = (40, 112, 192)
_DETAIL, _DETAIL_WIDTH = 2, 24  # the last block at stride 4
MEAN, SCALE = 127, 128  # of pixels 0..255, as the trunk was trained by its authors


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a network is.

    Attributes:
        blocks: of the trunk.
        kept: share of the trunk's hidden channels.
        width: channels of neck and head.
        depths: convolutions of the head at each stride.
        apart: whether scores and sides have a head each; else they share one.
        detail: whether the finest level also sees stride 4, its four cells side by side as channels.
    """

    blocks: int
    kept: float
    width: int
    depths: tuple[int, int, int]
    apart: bool = False
    detail: bool = False


PLANS = {
    # The finest level has most cells and the smallest boxes: one convolution is enough there.
    "n": Plan(blocks=13, kept=2 / 3, width=48, depths=(1, 2, 2)),
    "s": Plan(blocks=15, kept=1.0, width=80, depths=(2, 2, 2), apart=True, detail=True),
}
"""The networks trained here by the end of their names."""


class Block(nn.Module):
    """An inverted residual: expand, depthwise, project."""

    def __init__(self, inside: int, hidden: int, outside: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.expand = _conv(inside, hidden, 1) if hidden != inside else nn.Identity()
        self.depthwise = _conv(hidden, hidden, kernel, stride, groups=hidden)
        self.project = _conv(hidden, outside, 1, activation=False)
        self.residual = inside == outside and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        """``[B, inside, H, W]`` to ``[B, outside, H / stride, W / stride]``."""
        y = self.project(self.depthwise(self.expand(x)))
        return cast(Tensor, x + y if self.residual else y)


class Network(nn.Module):
    """The detector without decoding.

    Args:
        plan: how large it is.
    """

    def __init__(self, plan: Plan = PLANS["n"]) -> None:
        super().__init__()
        width = plan.width
        self.plan = plan
        self.stem = _conv(3, 32, 3, 2)
        self.blocks = nn.ModuleList(Block(*shape) for shape in trunk_blocks(plan))
        self.lateral = nn.ModuleList(_conv(inside, width, 1) for inside in _WIDTHS)
        # Without activation: a network that grows begins with nothing here, where ReLU has no slope.
        self.detail = _conv(4 * _DETAIL_WIDTH, width, 1, activation=False) if plan.detail else None
        self.down = nn.ModuleList(_conv(width, width, 3) for _ in range(2))
        self.up = nn.ModuleList(_conv(width, width, 3) for _ in range(2))
        self.head = _head(width, plan.depths)
        self.side_head = _head(width, plan.depths) if plan.apart else None
        self.classes = nn.Conv2d(width, CLASS_COUNT, 1)
        self.sides = nn.Conv2d(width, 4, 1)
        nn.init.normal_(self.classes.weight, std=0.01)
        nn.init.constant_(cast(Tensor, self.classes.bias), -4.6)  # one cell in a hundred holds a vehicle
        nn.init.normal_(self.sides.weight, std=0.01)
        nn.init.constant_(cast(Tensor, self.sides.bias), 1.5)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Class logits ``[B, N, C]`` and distances in strides ``[B, N, 4]`` of normalised pictures."""
        x = self.stem(images)
        levels = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number == _DETAIL:
                finest = x
            if number in _LEVELS:
                levels.append(x)
        levels.append(x)
        fine, middle, coarse = (lateral(x) for lateral, x in zip(self.lateral, levels, strict=True))
        if self.detail is not None:
            fine = fine + self.detail(functional.pixel_unshuffle(finest, 2))
        middle = self.down[0](middle + _larger(coarse))
        fine = self.down[1](fine + _larger(middle))
        middle = self.up[0](middle + functional.max_pool2d(fine, 2))
        coarse = self.up[1](coarse + functional.max_pool2d(middle, 2))
        levels = [fine, middle, coarse]
        scored = [head(x) for head, x in zip(self.head, levels, strict=True)]
        if self.side_head is None:
            sided = scored
        else:
            sided = [head(x) for head, x in zip(self.side_head, levels, strict=True)]
        logits = [self.classes(x).flatten(2) for x in scored]
        sides = [functional.softplus(self.sides(x)).flatten(2) for x in sided]
        return torch.cat(logits, 2).transpose(1, 2), torch.cat(sides, 2).transpose(1, 2)


def plan_of(sizes: Mapping[str, tuple[int, ...]]) -> Plan:
    """Which of :data:`PLANS` has weights of these sizes, by name; n, which they do not fit, for none."""
    for plan in PLANS.values():
        with torch.device("meta"):
            ours = {name: value.shape for name, value in Network(plan).named_parameters()}
        if all(ours.get(name) == size for name, size in sizes.items()):
            return plan
    return PLANS["n"]


def network_of(state: Mapping[str, Tensor]) -> Network:
    """The network that a checkpoint holds.

    Raises:
        RuntimeError: it is of no network of this kind.
    """
    sizes = {name: value.shape for name, value in state.items() if name.endswith(("weight", "bias"))}
    network = Network(plan_of(sizes))
    network.load_state_dict(state)
    return network


def normalise(images: Tensor) -> Tensor:
    """What the network takes, of RGB pixels 0..255."""
    return (images.float() - MEAN) / SCALE


def cells(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Centres ``[N, 2]`` in pixels and strides ``[N, 1]`` of an input's cells, in the network's order.

    Traced for export, its sizes stay open.
    """
    centres, strides = [], []
    for stride in STRIDES:
        y, x = torch.meshgrid(
            torch.arange(height // stride) + 0.5, torch.arange(width // stride) + 0.5, indexing="ij"
        )
        centres.append(torch.stack([x, y], -1).reshape(-1, 2) * stride)
        strides.append(torch.full_like(centres[-1][:, :1], stride))
    return torch.cat(centres), torch.cat(strides)


def decode(sides: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Boxes left, top, right, bottom in pixels ``[..., N, 4]`` of distances in strides."""
    distances = sides * strides
    return torch.cat([centres - distances[..., :2], centres + distances[..., 2:]], -1)


def _conv(
    inside: int, outside: int, kernel: int, stride: int = 1, *, groups: int = 1, activation: bool = True
) -> nn.Sequential:
    # Strided ones pad as TensorFlow does, which trained the trunk: less at left and top.
    before, after = (kernel - 2) // 2, (kernel - 1) // 2
    pad = nn.ZeroPad2d((before, after, before, after)) if stride > 1 else nn.Identity()
    padding = 0 if stride > 1 else kernel // 2
    convolution = nn.Conv2d(inside, outside, kernel, stride, padding, groups=groups, bias=False)
    layers: list[nn.Module] = [pad, convolution, nn.BatchNorm2d(outside, momentum=0.03, eps=1e-3)]
    return nn.Sequential(*layers, *([nn.ReLU6(inplace=True)] if activation else []))


def _head(width: int, depths: tuple[int, ...]) -> nn.ModuleList:
    return nn.ModuleList(nn.Sequential(*(_conv(width, width, 3) for _ in range(depth))) for depth in depths)


def _larger(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


def trunk_blocks(plan: Plan) -> Iterator[tuple[int, int, int, int, int]]:
    """Channels in, hidden and out, kernel and stride of each block of the trunk."""
    inside, left = 32, plan.blocks
    for outside, kernel, stride, repeats in _STAGES:
        for repeat in range(min(repeats, left)):
            hidden = inside * 6 if outside > 16 else inside
            kept = hidden if hidden == inside else round(hidden * plan.kept / 16) * 16
            yield inside, kept, outside, kernel, stride if repeat == 0 else 1
            inside, left = outside, left - 1
