"""What a network is trained for: task-aligned assignment, class scores by cross entropy, boxes by CIoU."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import complete_box_iou_loss
from ultralytics.utils.tal import TaskAlignedAssigner

from models.training.network import cells, decode
from vision.types import CLASS_COUNT

_BOX_WEIGHT = 2.5
_LEAST_SIDE = 1e-3
"""In strides: far below what is visible, above what a float leaves between two edges."""
_CLASS_WEIGHT = (3.0, 1.0, 1.0, 3.0, 2.0)
"""Of telling bicycles, motorcycles, cars, buses and trucks apart where there is a vehicle: rare ones are
found early, but told from each other late."""


@dataclass(frozen=True, slots=True)
class Losses:
    """The two parts of the loss, weighted."""

    classes: Tensor
    boxes: Tensor

    @property
    def total(self) -> Tensor:
        """What is minimised."""
        return self.classes + self.boxes


class Loss:
    """The loss for inputs of one size.

    Args:
        size: width and height of the input.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.centres, self.strides = cells(size[1], size[0])
        # Feng et al. 2021 (TOOD): score^0.5 · IoU^4 ranks the cells for each vehicle, the ten best learn it.
        self._assigner = TaskAlignedAssigner(topk=10, num_classes=CLASS_COUNT, alpha=0.5, beta=4.0)

    def __call__(self, logits: Tensor, sides: Tensor, boxes: Tensor, known: Tensor) -> Losses:
        """The loss of a batch.

        Args:
            logits: ``[B, N, C]`` of the network.
            sides: ``[B, N, 4]`` of the network.
            boxes: ``[B, M, 6]`` and
            known: ``[B, C]`` as in :class:`models.training.pool.Batches`.
        """
        # CIoU of a box of no height has no gradient, and such a step is lost.
        found = decode(sides + _LEAST_SIDE, self.centres, self.strides)
        vehicles = boxes[..., 5] == 1
        labels = boxes[..., :1].clamp(min=0).long()
        _, goals, scores, taken, _ = self._assigner(
            logits.detach().sigmoid(),
            found.detach(),
            self.centres,
            labels,
            boxes[..., 1:5] * vehicles[..., None],
            vehicles[..., None].float(),
        )
        # A cell that two vehicles claim, and that overlaps neither, may be given to an open place: nobody's.
        taken &= (goals[..., 2:] > goals[..., :2]).all(-1)
        scores = scores * taken[..., None]
        weight = self._weight(boxes, known, taken)
        amount = scores.sum().clamp(min=1)
        entropy = functional.binary_cross_entropy_with_logits(
            logits, scores.to(logits.dtype), reduction="none"
        )
        class_loss = (entropy * weight).sum() / amount
        share = scores.sum(-1)[taken]
        box_loss = complete_box_iou_loss(found[taken], goals[taken].float(), reduction="none")
        return Losses(class_loss, _BOX_WEIGHT * (box_loss * share).sum() / amount)

    def _weight(self, boxes: Tensor, known: Tensor, taken: Tensor) -> Tensor:
        """``[B, N, C]``: 0 where nothing is to be learnt: in open places, and of classes nobody labelled."""
        x, y = self.centres.T
        left, top, right, bottom = boxes[..., 1:5].unbind(-1)
        opened = boxes[..., 5] == 0
        inside = (
            (x > left[..., None]) & (x < right[..., None]) & (y > top[..., None]) & (y < bottom[..., None])
        )
        shut = ~(inside & opened[..., None]).any(1) | taken
        told = known[:, None, :] | taken[..., None]
        weight = torch.where(taken[..., None], torch.tensor(_CLASS_WEIGHT), 1.0)
        return (shut[..., None] & told) * weight
