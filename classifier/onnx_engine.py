"""The shipped engine: ONNX Runtime on the CPU, weights unpacked to float32 at load."""

from pathlib import Path

import numpy as np
import onnxruntime

from .engine import Forward, Ids
from .manifest import Manifest, ModelError

PRECISION = "fp32"


def open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Return a session that computes in float32 alike for every batch; raises ModelError for a file that is no model."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Without the quantised operators the int8 weights are unpacked once, at load, and every product runs in
    # float32: dynamic int8 would be faster, but a text's score would then depend on its neighbours in the
    # batch.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    # Waiting threads would burn the CPU that the crawler and the store share with us.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own classes, made at run time
        raise ModelError(f"{path}: not a model that ONNX Runtime can open ({error})") from error


def open_onnx(path: Path, manifest: Manifest, threads: int) -> Forward:
    """Return the model's forward pass; raises ModelError where the file is no model of this shape."""
    session = open_session(path, threads)
    dim = session.get_outputs()[1].shape[1]
    if dim != manifest.dim:
        raise ModelError(f"{path}: embeddings have {dim} numbers, the manifest says {manifest.dim}")

    def forward(ids: Ids) -> tuple[np.ndarray, np.ndarray]:
        logits, embedding = session.run(["logits", "embedding"], {"ids": ids})
        return logits, embedding

    return forward
