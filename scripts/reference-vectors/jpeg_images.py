"""JPEG fixtures. Pillow writes most; cjpeg and jpegtran (libjpeg-turbo-progs) write the rest."""

import io
import subprocess

from PIL import Image, ImageCms

from content import picture

SIDES = [
    (15, 15), (15, 337), (4096, 15), (15, 4096), (17, 333), (333, 17), (127, 131), (97, 64),
    (224, 224), (256, 256), (257, 255), (300, 200), (199, 401), (31, 23),
]


def encode(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **{"quality": 85, **options})
    return out.getvalue()


def cjpeg(pixels, *options):
    ppm = io.BytesIO()
    image = Image.fromarray(pixels)
    image.save(ppm, "PPM")
    return subprocess.run(
        ["cjpeg", *options], input=ppm.getvalue(), stdout=subprocess.PIPE, check=True
    ).stdout


def jpegtran(data, *options):
    return subprocess.run(
        ["jpegtran", *options], input=data, stdout=subprocess.PIPE, check=True
    ).stdout


def segments(data):
    """(marker, start, end) of each segment before the scan, and the scan's start."""
    at, found = 2, []
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        found.append((data[at + 1], at, end))
        at = end
    return found, at


def without(data, *markers):
    found, scan = segments(data)
    kept = b"".join(data[start:end] for marker, start, end in found if marker not in markers)
    return data[:2] + kept + data[scan:]


def with_segment(data, marker, payload):
    segment = bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload
    return data[:2] + segment + data[2:]


def exif(orientation, order="big", kind=3):
    mark = b"MM\0*" if order == "big" else b"II*\0"
    value = orientation.to_bytes(2 if kind == 3 else 4, order).ljust(4, b"\0")
    entry = (0x0112).to_bytes(2, order) + kind.to_bytes(2, order) + (1).to_bytes(4, order) + value
    return mark + (8).to_bytes(4, order) + (1).to_bytes(2, order) + entry + bytes(4)


def xmp(orientation):
    return b"http://ns.adobe.com/xap/1.0/\0" + (
        b'<x:xmpmeta><rdf:Description tiff:Orientation="%d"/></x:xmpmeta>' % orientation
    )


def good():
    for width, height in SIDES:
        name = f"jpeg-{width}x{height}"
        yield name, encode(Image.fromarray(picture(name, width, height)))
    rgb = picture("colour", 149, 103)
    image = Image.fromarray(rgb)
    for quality in (1, 30, 60, 95, 100):
        yield f"jpeg-quality-{quality}", encode(image, quality=quality)
    for sampling in ("4:4:4", "4:2:2", "4:2:0"):
        label = sampling.replace(":", "")
        yield f"jpeg-{label}", encode(image, subsampling=sampling)
        yield f"jpeg-{label}-progressive", encode(image, subsampling=sampling, progressive=True)
    for label, sample in (
        ("440", "1x2"), ("411", "4x1"), ("410", "4x2"), ("441", "1x4"), ("chroma-wide", "1x1,2x1,2x1"),
        ("cb-finer", "2x2,2x1,1x2"), ("cb-only", "2x2,1x1,2x2"),
    ):
        yield f"jpeg-{label}", cjpeg(rgb, "-sample", sample)
        yield f"jpeg-{label}-progressive", cjpeg(rgb, "-sample", sample, "-progressive")
    yield "jpeg-restart-blocks", cjpeg(rgb, "-restart", "3B")
    yield "jpeg-restart-rows", cjpeg(rgb, "-restart", "1", "-progressive")
    yield "jpeg-arithmetic", cjpeg(rgb, "-arithmetic")
    yield "jpeg-arithmetic-progressive", cjpeg(rgb, "-arithmetic", "-progressive")
    yield "jpeg-optimised", encode(image, optimize=True)
    yield "jpeg-rgb", cjpeg(rgb, "-rgb")
    yield "jpeg-rgb-without-adobe", without(cjpeg(rgb, "-rgb"), 0xEE)
    yield "jpeg-without-jfif", without(encode(image), 0xE0)
    grey = Image.fromarray(picture("grey", 120, 91, 1)[:, :, 0])
    yield "jpeg-grey", encode(grey)
    yield "jpeg-grey-progressive", encode(grey, progressive=True)
    yield "jpeg-grey-sampled", cjpeg(picture("grey", 120, 91, 1)[:, :, 0], "-sample", "2x2")
    cmyk = Image.frombytes("CMYK", (83, 61), picture("cmyk", 83, 61, 4).tobytes())
    adobe = encode(cmyk)
    yield "jpeg-cmyk", adobe
    yield "jpeg-cmyk-progressive", encode(cmyk, progressive=True)
    yield "jpeg-cmyk-without-adobe", without(adobe, 0xEE)
    at = adobe.index(b"Adobe") + 11
    yield "jpeg-ycck", adobe[:at] + b"\2" + adobe[at + 1 :]
    yield "jpeg-cmyk-sampled", encode(cmyk, subsampling="4:2:0")
    profiles = []
    for space in ("LAB", "sRGB"):
        made = ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()
        # Without the time of creation: the same bytes in every run.
        profiles.append(made[:24] + bytes(12) + made[36:])
    profile, srgb = profiles
    yield "jpeg-icc-srgb", encode(image, icc_profile=srgb)
    yield "jpeg-icc-lab", encode(image, icc_profile=profile)
    small = Image.fromarray(picture("turn", 45, 29))
    for orientation in range(1, 9):
        order = "big" if orientation % 2 else "little"
        block = b"Exif\0\0" + exif(orientation, order)
        yield f"jpeg-exif-{orientation}", with_segment(without(encode(small), 0xE0), 0xE1, block)
    yield "jpeg-exif-9", with_segment(encode(small), 0xE1, b"Exif\0\0" + exif(9))
    yield "jpeg-exif-long", with_segment(encode(small), 0xE1, b"Exif\0\0" + exif(6, "little", 4))
    yield "jpeg-xmp-6", with_segment(encode(small), 0xE1, xmp(6))
    thumbnail = encode(small.resize((16, 12)))
    yield "jpeg-thumbnail", with_segment(encode(small), 0xE1, b"Exif\0\0" + exif(1) + thumbnail)
    yield "jpeg-trailing-bytes", encode(small) + b"after the end" * 9
    yield "jpeg-scans", jpegtran(encode(image), "-scans", "scans.txt")
    damaged = bytearray(encode(image, quality=90))
    for at in range(1200, len(damaged) - 2, 977):
        damaged[at] = 0x5A
    yield "jpeg-damaged-data", bytes(damaged)
    damaged = bytearray(encode(image, quality=95, progressive=True))
    for at in range(segments(damaged)[1] + 125, len(damaged) - 2, 700):
        if 0xFF not in damaged[at - 1 : at + 2]:
            damaged[at] = 0
    yield "jpeg-damaged-progressive", bytes(damaged)
    restart = cjpeg(rgb, "-restart", "2B")
    at = restart.index(b"\xff\xd3", segments(restart)[1])
    yield "jpeg-restart-lost", restart[:at] + restart[at + 2 :]
    whole = encode(image)
    yield "jpeg-end-too-early", whole[: len(whole) // 2].rstrip(b"\xff") + b"\xff\xd9"
    yield "jpeg-comment-with-end", with_segment(encode(small), 0xFE, b"\xff\xd9 in a comment")
    yield "jpeg-filling-bytes", with_segment(encode(small), 0xFE, b"x").replace(
        b"\xff\xfe", b"\xff\xff\xff\xfe", 1
    )


def refused():
    image = Image.fromarray(picture("refused", 60, 40))
    whole = encode(image)
    found, scan = segments(whole)
    frame = next(start for marker, start, _ in found if marker == 0xC0)
    yield "jpeg-no-end", whole[:-2]
    yield "jpeg-cut-in-half", whole[: len(whole) // 2]
    yield "jpeg-cut-in-header", whole[: frame + 6]
    yield "jpeg-cut-before-scan", whole[:scan]
    yield "jpeg-thumbnail-cut", with_segment(
        whole, 0xE1, b"Exif\0\0" + exif(1) + encode(image.resize((16, 16)))
    )[:-2]
    yield "jpeg-12-bit", whole[: frame + 4] + b"\x0c" + whole[frame + 5 :]
    yield "jpeg-zero-width", whole[: frame + 7] + b"\0\0" + whole[frame + 9 :]
    yield "jpeg-zero-height", whole[: frame + 5] + b"\0\0" + whole[frame + 7 :]
    yield "jpeg-no-frame", without(whole, 0xC0)
    yield "jpeg-no-tables", without(whole, 0xDB)
    yield "jpeg-only-start", b"\xff\xd8\xff\xe0"
    two = bytearray(whole)
    two[frame + 9] = 2
    yield "jpeg-two-components", bytes(two)
    yield "jpeg-wrong-frame-length", bytes(two[: frame + 3]) + b"\x0e" + bytes(two[frame + 4 :])
    yield "jpeg-hierarchical", whole[: frame + 1] + b"\xc5" + whole[frame + 2 :]
