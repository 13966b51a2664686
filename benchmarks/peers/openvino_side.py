"""OpenVINO beside ONNX Runtime, same weights, one thread, in turns; says what precision really ran.

Runs in an environment of its own (openvino.txt); imports nothing of ngatu.
"""

import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import openvino as ov

ROUNDS, BLOCK = 6, 5


def with_onnxruntime(weights: str, inputs: dict[str, Any]) -> tuple[Callable[[], Any], str]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, inputs), "as stored"


def with_openvino(hint: str) -> Callable[[str, dict[str, Any]], tuple[Callable[[], Any], str]]:
    def make(weights: str, inputs: dict[str, Any]) -> tuple[Callable[[], Any], str]:
        core = ov.Core()
        model = core.read_model(weights)
        model.reshape({name: list(value.shape) for name, value in inputs.items()})
        settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
        if hint:
            settings["INFERENCE_PRECISION_HINT"] = hint
        compiled = core.compile_model(model, "CPU", settings)
        request = compiled.create_infer_request()
        return lambda: request.infer(inputs), precisions(compiled)

    return make


def precisions(compiled: Any) -> str:
    """In what precision the layers that multiply really run."""
    found: Counter[str] = Counter()
    for node in compiled.get_runtime_model().get_ops():
        told = node.get_rt_info()
        kind = str(told["layerType"].astype(str)) if "layerType" in told else ""
        if any(word in kind for word in ("Convolution", "MatMul", "FullyConnected")):
            found[str(told["runtimePrecision"].astype(str))] += 1
    return ", ".join(f"{count} layers {name}" for name, count in found.most_common())


def measure(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Core-ms a picture of each network under each runtime."""
    rows = []
    runtimes = {
        "ONNX Runtime": with_onnxruntime,
        "OpenVINO, its choice": with_openvino(""),
        "OpenVINO, f32 asked": with_openvino("f32"),
    }
    for network in job["networks"]:
        random = np.random.default_rng(0)
        shape = network["shape"]
        if network["type"] == "uint8":
            data: Any = random.integers(0, 255, shape, np.uint8)
        else:
            data = random.random(shape, np.float32)
        inputs = {network["input"]: data}
        runs, told, costs = {}, {}, {}
        for name, make in runtimes.items():
            try:
                runs[name], told[name] = make(network["weights"], inputs)
                runs[name]()
                costs[name] = []
            except Exception as error:  # whatever a runtime does not take is told
                rows.append(
                    {"network": network["name"], "runtime": name, "not_run": str(error).splitlines()[0]}
                )
                runs.pop(name, None)
        for _ in range(ROUNDS):
            for name, run in runs.items():
                began = time.process_time()
                for _ in range(BLOCK):
                    run()
                costs[name].append((time.process_time() - began) * 1e3 / BLOCK)
        for name, took in costs.items():
            row = {"network": network["name"], "runtime": name, "core_ms": statistics.median(took)}
            rows.append(row | {"precision": told[name]})
    return rows


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("openvino_side.py is started by runtimes.py: JOB")
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    versions = {"openvino": ov.__version__, "onnxruntime": ort.__version__}
    print(json.dumps({"rows": measure(job), "versions": versions}))


if __name__ == "__main__":
    main()
