"""Export what training answers: a reference for `edge-infer verify`, and a model folder.

See README.md.
"""

import argparse
import importlib.metadata
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from model_file import OnnxClassifier, activate, sha256
from model_folder import write_model_folder
from pipelines import CannotExpressError, apply_normalise, from_recipe, reference
from transforms import from_timm, from_torchvision, load_object

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp"}
#: A first class that leads by less may change places on another processor.
CLEAR_LEAD = 0.01
MOST_LISTED = 20


def main():
    """Run the command line; return the exit status."""
    args = parse_arguments()
    try:
        pipeline = build_pipeline(args)
    except CannotExpressError as refusal:
        print(f"refused: {refusal}", file=sys.stderr)
        return 1
    classifier = OnnxClassifier(args.model, args.activation)
    check_element_type(classifier, pipeline)
    labels = read_labels(args.labels)
    images = sorted(
        path for path in args.images.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES
    )
    if not images:
        raise SystemExit(f"{args.images}: expected .jpg, .jpeg, .png or .bmp files, found none")

    score = build_scorer(args, classifier)
    lines = export_lines(images, args, pipeline, score, labels)
    golden, problems = write_reference(lines, args, pipeline, len(images))
    report(problems)
    print(f"{args.reference}: {len(images) - len(problems)} images", file=sys.stderr)
    if args.model_folder and len(problems) < len(images):
        write_model_folder(args, pipeline, classifier, labels, golden)
        print(f"{args.model_folder}: {len(golden)} golden examples", file=sys.stderr)
        if len(golden) < args.golden:
            print(
                f"fewer than {args.golden}: no further image's first class leads by {CLEAR_LEAD}",
                file=sys.stderr,
            )
    return 1 if problems else 0


def report(problems):
    """Print why images were left out."""
    for problem in problems[:MOST_LISTED]:
        print(problem, file=sys.stderr)
    if len(problems) > MOST_LISTED:
        print(f"and {len(problems) - MOST_LISTED} more", file=sys.stderr)


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument(
        "--torchvision",
        metavar="MODULE:NAME",
        help="a transform, a function that returns one, or weights such as "
        "torchvision.models:ResNet50_Weights.IMAGENET1K_V2; FILE.py:NAME for code of your own",
    )
    way.add_argument("--timm", metavar="NAME", help="the evaluation transform of this timm model")
    way.add_argument(
        "--recipe", metavar="FILE.json", help="Pillow by a manifest's preprocessing, and colour"
    )
    parser.add_argument(
        "--timm-config",
        type=json.loads,
        default={},
        metavar="JSON",
        help='what training changed, such as {"crop_pct": 0.9}',
    )
    parser.add_argument(
        "--apply-exif", action="store_true", help="training turned pictures by EXIF orientation"
    )
    parser.add_argument("--model", type=Path, required=True, metavar="FILE.onnx")
    parser.add_argument(
        "--torch-model",
        metavar="MODULE:NAME",
        help="take the scores from this torch module (or function that returns it), not from the "
        "graph: shows differences that the export to ONNX made",
    )
    parser.add_argument(
        "--activation",
        choices=["softmax", "sigmoid", "none"],
        help="default: none where the graph gives probabilities, else softmax",
    )
    parser.add_argument("--labels", type=Path, required=True, help=".json array or a line a class")
    parser.add_argument("--images", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--reference", type=Path, required=True, metavar="FILE.jsonl")
    parser.add_argument("--top", type=int, default=5, help="classes an image (default 5)")
    parser.add_argument("--crops", metavar="NAME", help="also write crops into this folder beside")
    parser.add_argument("--model-folder", type=Path, metavar="FOLDER", help="write a model folder")
    parser.add_argument("--name", help="the model's name (default: the folder's)")
    parser.add_argument("--model-version", default="1")
    parser.add_argument("--language", default="en", help="of the labels (default en)")
    parser.add_argument("--golden", type=int, default=5, help="golden examples (default 5)")
    parser.add_argument(
        "--tolerance", type=float, default=1e-4, help="of golden scores (default 1e-4)"
    )
    return parser.parse_args()


def build_pipeline(args):
    """The pipeline that the command line names."""
    if args.recipe:
        return from_recipe(args.recipe)
    if args.timm:
        return from_timm(args.timm, args.timm_config, args.apply_exif)
    return from_torchvision(args.torchvision, args.apply_exif)


def check_element_type(classifier, pipeline):
    """uint8 inputs take raw pixels, all others normalised ones."""
    takes_pixels = classifier.element_type == "uint8"
    if takes_pixels == ("normalise" in pipeline.preprocessing):
        made = "normalised numbers" if takes_pixels else "raw pixels"
        raise SystemExit(f"the graph takes {classifier.element_type}, the pipeline makes {made}")


def read_labels(path):
    """Class names in class order."""
    text = path.read_text("utf-8-sig")
    return json.loads(text) if path.suffix == ".json" else text.splitlines()


def build_scorer(args, classifier):
    """A function from a tensor, [H, W, C], to float32 scores."""
    if args.torch_model is None:
        return lambda tensor: classifier.scores(classifier.outputs(tensor))
    import torch

    module = load_object(args.torch_model)
    module = module if isinstance(module, torch.nn.Module) else module()
    module.eval()

    def score(tensor):
        if classifier.activation is None:
            classifier.scores(classifier.outputs(tensor))  # decides the activation by the graph
        batch = torch.from_numpy(np.ascontiguousarray(tensor.transpose(2, 0, 1)))[None]
        with torch.inference_mode():
            return activate(module(batch)[0].numpy(), classifier.activation)

    return score


# Images to lines -----------------------------------------------------------------------


def export_lines(paths, args, pipeline, score, labels):
    """Yields (line, crop), or (problem, None) for an image, in the order of names."""
    for number, path in enumerate(paths, 1):
        if sys.stderr.isatty():
            print(f"\r{number} of {len(paths)}", end="\n"[: number == len(paths)], file=sys.stderr)
        name = path.relative_to(args.images).as_posix()
        data = path.read_bytes()
        try:
            crop = pipeline.crop(data)
            tensor = pipeline.tensor(data)
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            yield f"{name}: left out, Pillow cannot read it: {error}", None
            continue
        difference = find_difference(pipeline, data, crop, tensor)
        if difference is not None:
            yield f"{name}: left out, {difference}", None
            continue
        scores = score(tensor)
        if len(scores) != len(labels):
            raise SystemExit(f"{args.labels}: {len(labels)} names for {len(scores)} classes")
        best = np.argsort(-scores, kind="stable")[: args.top]
        top = [
            {"name": labels[index], "index": int(index), "score": float(scores[index])}
            for index in best
        ]
        line = {"image": name, "sha256": sha256(data), "cropSha256": sha256(crop.tobytes())}
        yield {**line, "top": top}, crop


def find_difference(pipeline, data, crop, tensor):
    """Whether the manifest's words give the pixels and numbers of training's own code."""
    described = reference.crop(data, pipeline.recipe)
    if described.shape != crop.shape or not np.array_equal(described, crop):
        return "the manifest's words give other pixels than training's code"
    numbers = apply_normalise(crop, pipeline.preprocessing.get("normalise"), pipeline.colour)
    if not np.array_equal(numbers, tensor):
        worst = np.abs(numbers.astype(np.float64) - tensor).max()
        return f"the manifest's words give another tensor than training's code (by {worst:.2g})"
    return None


def write_reference(lines, args, pipeline, image_count):
    """Writes the JSON lines and crops; returns lines for golden examples, and problems."""
    golden, problems = [], []
    # One golden example out of each of so many equal parts, so that they are not all alike.
    starts = [part * image_count // max(1, args.golden) for part in range(args.golden)]
    crops = args.reference.parent / args.crops if args.crops else None
    scored_by = "onnxruntime" if args.torch_model is None else "torch"
    header = {
        "format": "edge-infer-reference",
        "formatVersion": 1,
        "model": {"file": args.model.name, "sha256": sha256(args.model.read_bytes())},
        "pipeline": pipeline.words,
        "scoredBy": scored_by,
        "versions": {**pipeline.versions(), scored_by: importlib.metadata.version(scored_by)},
        **({"crops": args.crops} if args.crops else {}),
    }
    args.reference.parent.mkdir(parents=True, exist_ok=True)
    # Renamed when complete: half a reference would look like a whole one.
    unfinished = args.reference.with_name(f"{args.reference.name}.part")
    with unfinished.open("w", encoding="utf-8") as file:
        write_line(file, header)
        for position, (line, crop) in enumerate(lines):
            if crop is None:
                problems.append(line)
                continue
            write_line(file, line)
            if crops:
                write_crop(crops / f"{line['image']}.png", crop)
            is_due = len(golden) < args.golden and position >= starts[len(golden)]
            if is_due and leads_clearly(line["top"]):
                golden.append(line)
    unfinished.replace(args.reference)
    return golden, problems


def write_line(file, value):
    """One object as a line; NaN is no JSON and is refused."""
    file.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")


def write_crop(path, crop):
    """A crop as a PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(crop[:, :, 0] if crop.shape[2] == 1 else crop).save(path)


def leads_clearly(top):
    """Whether the first class will be the first one everywhere."""
    return len(top) < 2 or top[0]["score"] - top[1]["score"] > CLEAR_LEAD


if __name__ == "__main__":
    sys.exit(main())
