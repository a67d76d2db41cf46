"""Triton's Python backend: each instance is a process with the pipeline."""

import numpy as np
import triton_python_backend_utils as triton
from pipeline import answer, decode, open_session


class TritonPythonModel:
    def initialize(self, args):
        self.session = open_session()

    def execute(self, requests):
        return [self.classify(request) for request in requests]

    def classify(self, request):
        image = triton.get_input_tensor_by_name(request, "image").as_numpy()[0]
        top_num = triton.get_input_tensor_by_name(request, "top_num").as_numpy()[0]
        (logits,) = self.session.run(None, {"image": decode(image)})
        body = answer(logits[0], int(top_num))
        outputs = {
            "name": np.array([result["name"] for result in body["results"]], np.object_),
            "score": np.array([result["score"] for result in body["results"]], np.float32),
            "log_id": np.array([body["log_id"]], np.int64),
        }
        return triton.InferenceResponse([triton.Tensor(name, value) for name, value in outputs.items()])
