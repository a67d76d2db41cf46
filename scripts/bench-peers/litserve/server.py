"""LitServe: its workers run the pipeline, its API servers speak HTTP."""

import os

import litserve
from pipeline import answer, decode, open_session


class Classifier(litserve.LitAPI):
    def setup(self, device):
        self.session = open_session()

    def decode_request(self, request, context):
        context["top_num"] = request["top_num"]
        return decode(request["image"])[0]

    def predict(self, images):
        """One image [3, 224, 224], or a batch that LitServe has stacked."""
        return self.session.run(None, {"image": images.reshape(-1, *images.shape[-3:])})[0]

    def encode_response(self, logits, context):
        return answer(logits.reshape(-1), context["top_num"])


if __name__ == "__main__":
    api = Classifier(
        api_path="/imagenet/ImageClassification",
        max_batch_size=int(os.environ["MAX_BATCH"]),
        batch_timeout=0.005,
    )
    server = litserve.LitServer(
        api,
        accelerator="cpu",
        workers_per_device=int(os.environ["WORKERS"]),
        fast_queue=os.environ["FAST_QUEUE"] == "1",
        timeout=60,
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        num_api_servers=int(os.environ["API_SERVERS"]),
        log_level="warning",
        access_log=False,
        generate_client_file=False,
        loop="uvloop",
        http="httptools",
    )
