"""PNG fixtures, written chunk by chunk so that every kind of file can be made."""

import struct
import zlib

import numpy as np

from content import picture
from jpeg_images import exif

SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind, data, damaged=False):
    check = zlib.crc32(kind + data) ^ (1 if damaged else 0)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def pack_row(row, bits):
    """One row [width, samples] of `bits` a sample as bytes."""
    flat = row.reshape(-1)
    if bits == 16:
        return flat.astype(">u2").tobytes()
    if bits == 8:
        return flat.astype(np.uint8).tobytes()
    spread = ((flat[:, None] >> np.arange(bits - 1, -1, -1)) & 1).astype(np.uint8)
    return np.packbits(spread.reshape(-1)).tobytes()


def filter_row(kind, row, above, step):
    out = bytearray()
    for i, value in enumerate(row):
        left = row[i - step] if i >= step else 0
        up = above[i]
        corner = above[i - step] if i >= step else 0
        estimate = left + up - corner
        near = [abs(estimate - left), abs(estimate - up), abs(estimate - corner)]
        paeth = (left, up, corner)[near.index(min(near))]
        predicted = (0, left, up, (left + up) // 2, paeth)[kind]
        out.append((value - predicted) & 255)
    return bytes([kind]) + bytes(out)


def rows(samples, bits, filters):
    """Filtered rows of [height, width, samples]; the filter types take turns."""
    step = max(1, bits * samples.shape[2] // 8)
    packed = [pack_row(row, bits) for row in samples]
    above = bytes(len(packed[0])) if packed else b""
    out = b""
    for i, row in enumerate(packed):
        out += filter_row(filters[i % len(filters)], row, above, step)
        above = row
    return out


def raw_image(samples, bits, interlaced, filters):
    if not interlaced:
        return rows(samples, bits, filters)
    out = b""
    for x, y, dx, dy in ADAM7:
        part = samples[y::dy, x::dx]
        if part.shape[0] and part.shape[1]:
            out += rows(part, bits, filters)
    return out


def samples_for(name, width, height, kind, bits):
    pixels = picture(name, width, height, SAMPLES[kind]).astype(np.uint32)
    if bits == 16:
        return pixels * 256 + picture(name + "-low", width, height, SAMPLES[kind])
    return pixels >> (8 - bits)


def png(name, width, height, kind, bits, interlaced=False, filters=(0, 1, 2, 3, 4), **extra):
    """`before`, `after`: chunks around the image data; `raw`: other rows; `pieces`: IDAT chunks."""
    samples = samples_for(name, width, height, kind, bits)
    raw = extra.get("raw", lambda data: data)(raw_image(samples, bits, interlaced, filters))
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, int(interlaced))
    stream = extra.get("stream", lambda data: data)(zlib.compress(raw, 9))
    pieces = extra.get("pieces", 1)
    size = -(-len(stream) // pieces)
    palette = b""
    if kind == 3:
        colours = extra.get("colours", 2**bits)
        palette = chunk(b"PLTE", picture(name + "-palette", colours, 1).tobytes())
    return (
        SIGNATURE
        + chunk(b"IHDR", header)
        + palette
        + extra.get("before", b"")
        + b"".join(chunk(b"IDAT", stream[i : i + size]) for i in range(0, len(stream), size))
        + extra.get("after", b"")
        + extra.get("end", chunk(b"IEND", b""))
    )


KINDS = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8),
         (4, 8), (4, 16), (6, 8), (6, 16)]


def good():
    for kind, bits in KINDS:
        for interlaced in (False, True):
            label = f"png-{kind}-{bits}" + ("-interlaced" if interlaced else "")
            yield label, png(label, 43, 37, kind, bits, interlaced)
    for width, height in ((15, 15), (4096, 15), (15, 1031), (17, 333), (128, 97)):
        label = f"png-{width}x{height}"
        yield label, png(label, width, height, 2, 8, filters=(1, 4, 2, 3))
    for filter_type in range(5):
        label = f"png-filter-{filter_type}"
        yield label, png(label, 29, 31, 2, 8, filters=(filter_type,))
    yield "png-trns-rgb", png("trns", 33, 27, 2, 8, before=chunk(b"tRNS", bytes(6)))
    yield "png-trns-grey", png("trns", 33, 27, 0, 8, before=chunk(b"tRNS", b"\0\x80"))
    yield "png-trns-palette", png("trns", 33, 27, 3, 8, before=chunk(b"tRNS", bytes(range(200))))
    yield "png-short-palette", png("short", 33, 27, 3, 8, colours=100)
    whole = png("palette", 33, 27, 3, 8)
    at = whole.index(b"PLTE")
    rest = whole[at + 4 + 768 + 4 :]
    yield "png-no-palette", whole[: at - 4] + rest
    yield "png-odd-palette", whole[: at - 4] + chunk(b"PLTE", whole[at + 4 : at + 104]) + rest
    yield "png-late-header", whole[:8] + chunk(b"tEXt", b"a\0b") + whole[8:]
    yield "png-gamma", png("gamma", 33, 27, 2, 8, before=chunk(b"gAMA", struct.pack(">I", 100000)))
    yield "png-many-idat", png("idat", 61, 47, 2, 8, pieces=23)
    yield "png-empty-idat", png("idat", 33, 27, 2, 8, before=chunk(b"IDAT", b""))
    yield "png-no-end", png("end", 33, 27, 2, 8, end=b"")
    yield "png-trailing-bytes", png("end", 33, 27, 2, 8) + b"after the end"
    yield "png-extra-rows", png("extra", 33, 27, 2, 8, raw=lambda data: data + bytes(5000))
    yield "png-unknown-chunk", png("unknown", 33, 27, 2, 8, before=chunk(b"ABCD", b"data"))
    for orientation in range(1, 9):
        block = chunk(b"eXIf", exif(orientation))
        yield f"png-exif-{orientation}", png("turn", 35, 22, 2, 8, before=block)
    yield "png-exif-after", png("turn", 35, 22, 6, 8, after=chunk(b"eXIf", exif(8)))
    digits = (b"Exif\0\0" + exif(6)).hex()
    profile = f"\nexif\n{len(digits) // 2:8}\n{digits}\n".encode()
    text = b"Raw profile type exif\0\0" + zlib.compress(profile)
    yield "png-exif-in-text", png("turn", 35, 22, 2, 8, before=chunk(b"zTXt", text))
    xmp = b"XML:com.adobe.xmp\0\0\0\0\0<a tiff:Orientation=\"3\"/>"
    yield "png-xmp", png("turn", 35, 22, 2, 8, before=chunk(b"iTXt", xmp))
    control = struct.pack(">IIIIIHHBB", 0, 33, 27, 0, 0, 1, 10, 0, 0)
    animated = chunk(b"acTL", struct.pack(">II", 2, 0)) + chunk(b"fcTL", control)
    second = struct.pack(">IIIIIHHBB", 1, 33, 27, 0, 0, 1, 10, 0, 0)
    frame = zlib.compress(raw_image(samples_for("frame2", 33, 27, 2, 8), 8, False, (0,)))
    later = chunk(b"fcTL", second) + chunk(b"fdAT", struct.pack(">I", 2) + frame)
    yield "png-animated", png("frame1", 33, 27, 2, 8, before=animated, after=later)
    actl = chunk(b"acTL", struct.pack(">II", 1, 0))
    first = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 33, 27, 0, 0, 1, 10, 0, 0))
    hidden = first + chunk(b"fdAT", struct.pack(">I", 1) + frame)
    yield "png-animated-default", png("frame1", 33, 27, 2, 8, before=actl, after=hidden)


def ours():
    """Files that we take and Pillow does not, with a file of the same pixels that Pillow takes."""
    text = b"Comment\0hello"
    plain = png("ancillary", 33, 27, 2, 8)
    yield "png-damaged-text", png(
        "ancillary", 33, 27, 2, 8, before=chunk(b"tEXt", text, damaged=True)
    ), plain
    yield "png-damaged-text-after", png(
        "ancillary", 33, 27, 2, 8, after=chunk(b"tEXt", text, damaged=True)
    ), plain
    yield "png-damaged-gamma", png(
        "ancillary", 33, 27, 2, 8, before=chunk(b"gAMA", b"\0\0", damaged=True)
    ), plain


def refused():
    whole = png("refused", 60, 40, 2, 8)
    at = whole.index(b"IDAT")
    yield "png-cut-in-half", whole[: len(whole) // 2]
    yield "png-cut-in-header", whole[:20]
    yield "png-cut-before-data", whole[: at - 4]
    yield "png-damaged-data-check", whole[:-13] + bytes([whole[-13] ^ 1]) + whole[-12:]
    yield "png-damaged-data", whole[: at + 300] + b"XXXX" + whole[at + 304 :]
    yield "png-damaged-header", whole[:18] + b"\1" + whole[19:]
    yield "png-damaged-palette", png("refused", 60, 40, 3, 8).replace(b"PLTE", b"PLTE\1", 1)[:-1]
    yield "png-missing-rows", png("refused", 60, 40, 2, 8, raw=lambda data: data[:-200])
    yield "png-missing-rows-interlaced", png(
        "refused", 60, 40, 2, 8, interlaced=True, raw=lambda data: data[:-3]
    )
    yield "png-unknown-filter", png("refused", 60, 40, 2, 8, raw=lambda data: b"\5" + data[1:])
    yield "png-too-many-colours", png("refused", 60, 40, 3, 8, colours=300)
    yield "png-no-zlib", png("refused", 60, 40, 2, 8, stream=lambda s: b"\0\0" + s[2:])
    yield "png-wrong-adler", png("refused", 60, 40, 2, 8, stream=lambda s: s[:-4] + b"abcd")
    for kind, bits in ((0, 3), (2, 4), (3, 16), (1, 8), (5, 8), (7, 8), (4, 4)):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60, 40, bits, kind, 0, 0, 0))
        yield f"png-no-such-kind-{kind}-{bits}", SIGNATURE + header + whole[33:]
    zero = chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 40, 8, 2, 0, 0, 0))
    yield "png-zero-width", SIGNATURE + zero + whole[33:]
    yield "png-only-signature", SIGNATURE
