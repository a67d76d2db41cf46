"""MLServer with a runtime of its own and a custom handler, which speaks our JSON."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from mlserver import MLModel
from mlserver.handlers import custom_handler
from pipeline import answer, decode, open_session


class Classifier(MLModel):
    async def load(self):
        self.session = open_session()
        executors = int(os.environ["EXECUTOR_THREADS"])
        self.executor = ThreadPoolExecutor(executors) if executors else None
        return True

    def classify(self, body):
        (logits,) = self.session.run(None, {"image": decode(body["image"])})
        return answer(logits[0], body["top_num"])

    @custom_handler(rest_path="/imagenet/ImageClassification")
    async def image_classification(self, body: dict) -> dict:
        if self.executor is None:
            return self.classify(body)
        return await asyncio.get_running_loop().run_in_executor(self.executor, self.classify, body)
