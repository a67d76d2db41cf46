"""BentoML: a service whose workers run the pipeline."""

import os

import bentoml
from pipeline import answer, decode, open_session


@bentoml.service(
    workers=int(os.environ["WORKERS"]),
    threads=int(os.environ["EXECUTOR_THREADS"]),
    traffic={"timeout": 60},
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class Classifier:
    def __init__(self):
        self.session = open_session()

    @bentoml.api(route="/imagenet/ImageClassification")
    def image_classification(self, image: str, top_num: int) -> dict:
        (logits,) = self.session.run(None, {"image": decode(image)})
        return answer(logits[0], top_num)
