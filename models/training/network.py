"""The network: EfficientNet-Lite0 cut to what junction cameras need, a small dense neck, one shared head.

Trunk: stem and blocks 0 to 12, with two thirds of their hidden channels (:mod:`models.training.cut` chooses
them), read at strides 8, 16 and 32. Neck: dense 3×3 convolutions, top-down and bottom-up. Head: class scores
and the four distances from a cell's centre to the box's sides, in strides. ReLU6 throughout: made for 8 bits.
"""

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from vision.types import CLASS_COUNT

STRIDES = (8, 16, 32)
_STAGES = ((16, 3, 1, 1), (24, 3, 2, 2), (40, 5, 2, 2), (80, 3, 2, 3), (112, 5, 1, 3), (192, 5, 2, 2))
"""EfficientNet-Lite0 up to block 12: channels out, kernel, stride, repeats (Tan and Le 2019, table 1)."""
_KEPT = 2 / 3
_LEVELS = (4, 10, 12)  # blocks whose output is read, one a stride
_WIDTHS = (40, 112, 192)
MEAN, SCALE = 127, 128  # of pixels 0..255, as the trunk was trained by its authors


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
        width: channels of neck and head.
    """

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.stem = _conv(3, 32, 3, 2)
        self.blocks = nn.ModuleList(Block(*shape) for shape in trunk_blocks())
        self.lateral = nn.ModuleList(_conv(inside, width, 1) for inside in _WIDTHS)
        self.down = nn.ModuleList(_conv(width, width, 3) for _ in range(2))
        self.up = nn.ModuleList(_conv(width, width, 3) for _ in range(2))
        # The finest level has most cells and the smallest boxes: one convolution is enough there.
        depths = (1, 2, 2)
        self.head = nn.ModuleList(
            nn.Sequential(*(_conv(width, width, 3) for _ in range(depth))) for depth in depths
        )
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
            if number in _LEVELS:
                levels.append(x)
        fine, middle, coarse = (lateral(x) for lateral, x in zip(self.lateral, levels, strict=True))
        middle = self.down[0](middle + _larger(coarse))
        fine = self.down[1](fine + _larger(middle))
        middle = self.up[0](middle + functional.max_pool2d(fine, 2))
        coarse = self.up[1](coarse + functional.max_pool2d(middle, 2))
        logits, sides = [], []
        for head, x in zip(self.head, (fine, middle, coarse), strict=True):
            y = head(x)
            logits.append(self.classes(y).flatten(2))
            sides.append(functional.softplus(self.sides(y)).flatten(2))
        return torch.cat(logits, 2).transpose(1, 2), torch.cat(sides, 2).transpose(1, 2)


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


def _larger(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


def trunk_blocks() -> Iterator[tuple[int, int, int, int, int]]:
    """Channels in, hidden and out, kernel and stride of each block."""
    inside = 32
    for outside, kernel, stride, repeats in _STAGES:
        for repeat in range(repeats):
            hidden = inside * 6 if outside > 16 else inside
            kept = hidden if hidden == inside else round(hidden * _KEPT / 16) * 16
            yield inside, kept, outside, kernel, stride if repeat == 0 else 1
            inside = outside
