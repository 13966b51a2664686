"""Read the weights of a shipped float network back, so that training goes on from what is in the box."""

import re
from pathlib import Path
from typing import cast

import onnx
import torch
from onnx import numpy_helper
from torch import nn

from models.training.network import Network, normalise, plan_of
from vision.errors import TrainingError


def load_exported(path: Path) -> Network:
    """The network of a float ONNX file written by :mod:`models.training.export`.

    Its normalisations are folded into the convolutions, and come back as such: keep them fixed, or
    :func:`renormalise` them.

    Raises:
        TrainingError: the file is missing or holds another network.
    """
    if not path.is_file():
        raise TrainingError(f"{path} does not exist; give a checkpoint (.pt) or exported weights (.onnx)")
    model = onnx.load(path)
    constants = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    # What two convolutions have in common is written once: a second name is given to it.
    for node in model.graph.node:
        if node.op_type == "Identity" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]]
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    sizes = {f"{_module(node.name)}.weight": constants[node.input[1]].shape for node in convolutions}
    network = Network(plan_of(sizes))
    known = {name for name, part in network.named_modules() if isinstance(part, nn.Conv2d)}
    left = set(known)
    for node in convolutions:
        kernel, bias = (torch.from_numpy(constants[each].copy()) for each in node.input[1:3])
        name = _module(node.name)
        if name not in known or not _fill(network, name, kernel, bias):
            raise TrainingError(f"{path} is another network than the one trained here: {node.name}")
        left.discard(name)
    if left:
        raise TrainingError(f"{path} is another network than the one trained here: {min(left)} is missing")
    return network


@torch.no_grad()
def renormalise(network: Network, images: torch.Tensor) -> None:
    """Give neck and head normalisations the statistics of some pictures, without changing what they compute.

    Args:
        network: a trained one.
        images: ``[B, 3, H, W]`` RGB 0..255, a few dozen pictures of the kind to be learnt from.
    """

    def measure(norm: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        statistics.setdefault(cast(nn.BatchNorm2d, norm), []).append(inputs[0].transpose(0, 1).flatten(1))

    statistics: dict[nn.BatchNorm2d, list[torch.Tensor]] = {}
    norms = [
        part
        for name, part in network.named_modules()
        if isinstance(part, nn.BatchNorm2d) and not name.startswith(("stem", "blocks"))
    ]
    hooks = [norm.register_forward_pre_hook(measure) for norm in norms]
    network.eval()(normalise(images))
    for hook in hooks:
        hook.remove()
    for norm, seen in statistics.items():
        values = torch.cat(seen, 1)
        mean, variance = values.mean(1), values.var(1)
        factor = norm.weight / (norm.running_var + norm.eps).sqrt()  # type: ignore[operator]
        norm.bias += factor * (mean - norm.running_mean)
        norm.weight.copy_(factor * (variance + norm.eps).sqrt())
        norm.running_mean.copy_(mean)  # type: ignore[union-attr]
        norm.running_var.copy_(variance)  # type: ignore[union-attr]


def _module(node: str) -> str:
    """The module a node was made from: ``/network/blocks.3/expand/expand.1/Conv`` gives blocks.3.expand.1."""
    parts = node.removeprefix("/network/").removesuffix("/Conv").split("/")
    first, last = parts[0], parts[-1]
    if first.startswith("blocks"):
        return f"{first}.{last}"
    return re.sub(r"_\d$", "", last)  # the shared last convolutions are there once a level


def _fill(network: Network, name: str, kernel: torch.Tensor, bias: torch.Tensor) -> bool:
    convolution = cast(nn.Conv2d, network.get_submodule(name))
    if convolution.weight.shape != kernel.shape:
        return False
    with torch.no_grad():
        convolution.weight.copy_(kernel)
        if convolution.bias is not None:
            convolution.bias.copy_(bias)
            return True
        parent, _, number = name.rpartition(".")
        norm = cast(nn.BatchNorm2d, network.get_submodule(f"{parent}.{int(number) + 1}"))
        norm.running_mean.zero_()  # type: ignore[union-attr]
        norm.running_var.fill_(1 - norm.eps)  # type: ignore[union-attr]
        norm.weight.fill_(1)
        norm.bias.copy_(bias)
    return True
