"""Prints, as JSON, the answers to compare every server's with: reference.py PICTURE...

The pictures' answers come straight from Pillow and onnxruntime, with no server between.
"""

import base64
import json
import sys
from pathlib import Path

from pipeline import answer, decode, open_session

session = open_session()
answers = []
for picture in sys.argv[1:]:
    tensor = decode(base64.b64encode(Path(picture).read_bytes()))
    (logits,) = session.run(None, {"image": tensor})
    answers.append(answer(logits[0], 5)["results"])
print(json.dumps(answers))
