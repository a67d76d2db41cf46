"""A model folder: what edge-infer serves."""

import json
import shutil
from pathlib import Path

from model_file import sha256


def write_model_folder(args, pipeline, classifier, labels, golden):
    """Write graph, labels, golden images and the manifest, as models/README.md describes them."""
    folder, hashes = args.model_folder, {}

    def put(name, source):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, Path):
            shutil.copyfile(source, target)
        else:
            target.write_bytes(source)
        hashes[name] = sha256(target.read_bytes())

    for name, source in classifier.files().items():
        put(name, source)
    label_file = f"labels.{args.language}.json"
    put(label_file, json.dumps(labels, ensure_ascii=False, indent=0).encode())
    examples = []
    for line in golden:
        put(f"golden/{line['image']}", args.images / line["image"])
        top = [{"name": each["name"], "score": each["score"]} for each in line["top"]]
        examples.append(
            {"image": f"golden/{line['image']}", "cropSha256": line["cropSha256"], "top": top}
        )
    channels = 1 if pipeline.colour == "grey" else 3
    rule = pipeline.preprocessing
    sides = rule.get("crop", rule["resize"])
    manifest = {
        "formatVersion": 1,
        "name": args.name or folder.resolve().name,
        "version": args.model_version,
        "task": "image-classification",
        "model": classifier.path.name,
        "files": hashes,
        "input": {
            "name": classifier.input.name,
            "elementType": classifier.element_type,
            "layout": classifier.layout(channels),
            "colour": pipeline.colour,
            "width": sides["width"],
            "height": sides["height"],
        },
        "preprocessing": rule,
        "output": {"name": classifier.output.name, "activation": classifier.activation},
        "labels": {args.language: label_file},
        "golden": {"scoreTolerance": args.tolerance, "examples": examples},
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=2)
    (folder / "manifest.json").write_text(text + "\n", "utf-8")
