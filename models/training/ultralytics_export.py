"""Export somebody's own Ultralytics weights (.pt) to ONNX, with their classes as ours.

Reading .pt files runs code that is inside them: only ever done by this command, on a file of the user's own.
"""

from pathlib import Path

from vision.errors import ModelError

_SYNONYMS = {
    "bicycle": "bicycle",
    "bike": "bicycle",
    "cyclist": "bicycle",
    "motorcycle": "motorcycle",
    "motorbike": "motorcycle",
    "scooter": "motorcycle",
    "car": "car",
    "bus": "bus",
    "coach": "bus",
    "minibus": "bus",
    "truck": "truck",
    "lorry": "truck",
    "xe đạp": "bicycle",
    "xe máy": "motorcycle",
    "xe con": "car",
    "ô tô": "car",
    "xe buýt": "bus",
    "xe khách": "bus",
    "xe tải": "truck",
}


def export_ultralytics(weights: Path, size: tuple[int, int]) -> tuple[Path, dict[int, str]]:
    """Write ``weights`` as ONNX beside them; the file, and its classes as ours.

    Args:
        weights: a detector's .pt of Ultralytics.
        size: width and height of the input, multiples of 32.

    Raises:
        ModelError: the file is missing, is no detector of Ultralytics, or names no class of ours.
    """
    from ultralytics import YOLO

    if not weights.is_file():
        raise ModelError(f"{weights}: there is no such file.")
    try:
        model = YOLO(str(weights), task="detect")
        names = dict(model.names)
    except Exception as error:  # Ultralytics raises whatever the unpickling raises
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(f"{weights}: Ultralytics cannot read it as a detector: {reason}") from error
    classes = our_classes(weights, names)
    exported = model.export(format="onnx", imgsz=(size[1], size[0]), opset=17, simplify=False, dynamic=False)
    return Path(exported), classes


def our_classes(weights: Path, names: dict[int, str]) -> dict[int, str]:
    """Which of a network's classes are ours, by their names.

    Raises:
        ModelError: none is.
    """
    found = {
        number: _SYNONYMS[name.strip().lower()]
        for number, name in names.items()
        if name.strip().lower() in _SYNONYMS
    }
    if not found:
        theirs = ", ".join(f"{number}={name}" for number, name in list(names.items())[:12])
        raise ModelError(
            f"{weights}: none of its classes ({theirs}) is a vehicle class known here; say which is which by "
            "--classes, such as 0=car,1=motorcycle."
        )
    return found
