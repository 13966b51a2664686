"""Grow a trained network into a larger one that begins by computing the same (Net2Net: Chen et al. 2016).

What is new gives nothing at first to what was there, but has inputs of its own and so a slope to learn from:
the larger network starts with all that the smaller one knows instead of with nothing.
"""

from typing import Any, cast

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from models.training.cut import imagenet_trunk, take_over
from models.training.network import Block, Network


@torch.no_grad()
def grow(small: Network, large: Network) -> None:
    """Fill ``large`` so that it computes what ``small`` does.

    The hidden channels of the trunk that the small network lacks come from ImageNet's.

    Args:
        small: a trained network.
        large: one with a larger plan, changed in place.
    """
    large.stem.load_state_dict(small.stem.state_dict())
    trunk = imagenet_trunk()._blocks
    for theirs, ours, whole in zip(small.blocks, large.blocks, trunk, strict=False):
        _grow_block(cast(Block, theirs), cast(Block, ours), whole)
    for number in range(len(small.blocks), len(large.blocks)):
        _add_block(cast(Block, large.blocks[number]), trunk[number])
    pairs = [
        *zip(small.lateral, large.lateral, strict=True),
        *zip(small.down, large.down, strict=True),
        *zip(small.up, large.up, strict=True),
    ]
    for heads in [large.head] if large.side_head is None else [large.head, large.side_head]:
        for few, many in zip(small.head, heads, strict=True):
            few, many = cast(nn.Sequential, few), cast(nn.Sequential, many)
            pairs += zip(few, many, strict=False)
            for added in list(many)[len(few) :]:
                _pass_on(cast(nn.Sequential, added), small.plan.width)
    for few, many in pairs:
        _widen(cast(nn.Sequential, few), cast(nn.Sequential, many))
    if large.detail is not None and small.detail is None:
        nn.init.zeros_(cast(nn.BatchNorm2d, large.detail[-1]).weight)
    for old, new in ((small.classes, large.classes), (small.sides, large.sides)):
        new.weight.zero_()
        new.weight[:, : old.weight.shape[1]] = old.weight
        cast(Tensor, new.bias).copy_(cast(Tensor, old.bias))


def _grow_block(small: Block, large: Block, whole: Any) -> None:
    """The small block's hidden channels in place of those of ImageNet that they were cut from."""
    parts = [(small.depthwise, large.depthwise, _folded(whole._depthwise_conv, whole._bn1))]
    if isinstance(large.expand, nn.Sequential):
        parts.append((small.expand, large.expand, _folded(whole._expand_conv, whole._bn0)))
    kept = [_folded(*_layers(theirs)) for theirs, _, _ in parts]
    rows = _origins(torch.cat(kept, 1), torch.cat([every for _, _, every in parts], 1))
    for (_, ours, every), few in zip(parts, kept, strict=True):
        every[rows] = few
        _unfold(*_layers(ours), every)
    convolution, norm = _layers(large.project)
    old, old_norm = _layers(small.project)
    nn.init.zeros_(convolution.weight)
    convolution.weight[:, rows] = old.weight
    norm.load_state_dict(old_norm.state_dict())


def _add_block(block: Block, whole: Any) -> None:
    """ImageNet's block, adding nothing to what passes by it."""
    take_over(block.expand, whole._expand_conv, whole._bn0)
    take_over(block.depthwise, whole._depthwise_conv, whole._bn1)
    take_over(block.project, whole._project_conv, whole._bn2)
    for parameter in _layers(block.project)[1].parameters():
        nn.init.zeros_(parameter)


def _origins(few: Tensor, many: Tensor) -> Tensor:
    """For each row of ``few`` the row of ``many`` that it is most like, each given once."""
    few, many = (nn.functional.normalize(t, dim=1) for t in (few, many))
    return torch.from_numpy(linear_sum_assignment((-few @ many.T).numpy())[1])


def _layers(part: nn.Module) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    layers = [each for each in part.modules() if isinstance(each, nn.Conv2d | nn.BatchNorm2d)]
    return cast(nn.Conv2d, layers[0]), cast(nn.BatchNorm2d, layers[1])


def _folded(convolution: Any, norm: Any) -> Tensor:
    """``[O, ...]``: weights and, last, the bias of a convolution with its normalisation in it."""
    factor = norm.weight / (norm.running_var + norm.eps).sqrt()
    bias = norm.bias - factor * norm.running_mean
    return torch.cat([convolution.weight.flatten(1) * factor[:, None], bias[:, None]], 1)


def _unfold(convolution: nn.Conv2d, norm: nn.BatchNorm2d, folded: Tensor) -> None:
    convolution.weight.copy_(folded[:, :-1].reshape(convolution.weight.shape))
    cast(Tensor, norm.running_mean).zero_()
    cast(Tensor, norm.running_var).fill_(1 - norm.eps)
    nn.init.ones_(norm.weight)
    norm.bias.copy_(folded[:, -1])


def _widen(small: nn.Sequential, large: nn.Sequential) -> None:
    """The small convolution among the channels it knows; new ones give nothing to them."""
    (few, few_norm), (many, many_norm) = _layers(small), _layers(large)
    outside, inside = few.weight.shape[:2]
    many.weight[:outside] = 0
    many.weight[:outside, :inside] = few.weight
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(many_norm, name)[:outside] = getattr(few_norm, name)
    many_norm.eps = few_norm.eps


def _pass_on(added: nn.Sequential, width: int) -> None:
    """Let a convolution hand on the first ``width`` channels as they are: ReLU6 leaves them so."""
    convolution, norm = _layers(added)
    nn.init.zeros_(convolution.weight[:width])
    middle = convolution.weight.shape[-1] // 2
    convolution.weight[range(width), range(width), middle, middle] = 1.0
    cast(Tensor, norm.running_var)[:width] = 1 - norm.eps
