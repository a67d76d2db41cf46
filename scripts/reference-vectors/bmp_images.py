"""BMP fixtures, built field by field."""

import struct

import numpy as np

from content import picture


def bmp(width, height, bits, data, *, header=40, compression=0, palette=b"", colours=0, masks=b"",
        offset=None):
    """A whole file; `palette` and `masks` stand between header and `data`."""
    if header == 12:
        dib = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        dib = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, len(data),
                          2835, 2835, colours, 0)
        if header > 40:
            dib += masks.ljust(header - 40, b"\0")
            masks = b""
    start = 14 + len(dib) + len(masks) + len(palette)
    start = start if offset is None else offset
    size = 14 + len(dib) + len(masks) + len(palette) + len(data)
    return b"BM" + struct.pack("<IHHI", size, 0, 0, start) + dib + masks + palette + data


def packed(indices, bits):
    """Rows of palette indices, bottom up, each padded to 4 bytes."""
    out = b""
    for row in indices[::-1]:
        spread = ((row[:, None] >> np.arange(bits - 1, -1, -1)) & 1).astype(np.uint8)
        line = np.packbits(spread.reshape(-1)).tobytes()
        out += line + bytes(-len(line) % 4)
    return out


def rows(pixels):
    """Rows of whole-byte pixels [height, width, bytes], bottom up, padded."""
    lines = [row.tobytes() for row in pixels[::-1]]
    return b"".join(line + bytes(-len(line) % 4) for line in lines)


def palette(name, colours, entry=4):
    rgb = picture(name, colours, 1)[0]
    return b"".join(bytes([b, g, r]) + bytes(entry - 3) for r, g, b in rgb)


def grey_ramp(colours, entry=4):
    return b"".join(bytes([i, i, i]) + bytes(entry - 3) for i in range(colours))


def indices(name, width, height, bits):
    return (picture(name, width, height, 1)[:, :, 0] >> (8 - bits)).astype(np.uint8)


def rle8(pixels, seed=5):
    """Bottom-up runs and literals in turn."""
    random, out = np.random.RandomState(seed), bytearray()
    for row in pixels[::-1]:
        x = 0
        while x < len(row):
            if random.rand() < 0.5 and len(row) - x >= 3:
                count = random.randint(3, min(30, len(row) - x) + 1)
                out += bytes([0, count]) + row[x : x + count].tobytes() + bytes(count % 2)
            else:
                count = 1
                while count < 255 and x + count < len(row) and row[x + count] == row[x]:
                    count += 1
                out += bytes([count, row[x]])
            x += count
        out += b"\0\0"
    return bytes(out) + b"\0\1"


def rle4(pixels):
    """Bottom-up: literals of up to 20 pixels, else runs of pairs."""
    out = bytearray()
    for y, row in enumerate(pixels[::-1]):
        x = 0
        while x < len(row):
            count = min(20, len(row) - x)
            if (y + x) % 3 and count >= 3:
                nibbles = list(row[x : x + count]) + [0] * (-count % 4)
                out += bytes([0, count])
                out += bytes((a << 4) | b for a, b in zip(nibbles[::2], nibbles[1::2]))
            else:
                count = min(2, count)
                second = row[x + 1] if count == 2 else 0
                out += bytes([count, (row[x] << 4) | second])
            x += count
        out += b"\0\0"
    return bytes(out) + b"\0\1"


def word16(rgb, green_bits):
    r, g, b = (rgb[:, :, i].astype(np.uint16) for i in range(3))
    value = (r >> 3) << (5 + green_bits) | (g >> (8 - green_bits)) << 5 | b >> 3
    return value.astype("<u2")[:, :, None].view(np.uint8)


def masks(*values):
    return struct.pack(f"<{len(values)}I", *values)


M565, M555, M888 = (0xF800, 0x7E0, 0x1F), (0x7C00, 0x3E0, 0x1F), (0xFF0000, 0xFF00, 0xFF)


def good():
    for width, height in ((15, 15), (37, 29), (15, 333), (4096, 15), (101, 53)):
        rgb = picture("bmp", width, height)
        yield f"bmp-24-{width}x{height}", bmp(width, height, 24, rows(rgb[:, :, ::-1]))
    w, h = 37, 29
    rgb = picture("bmp", w, h)
    bgrx = picture("bmp", w, h, 4)
    bgr = rows(rgb[:, :, ::-1])
    top_down = b"".join(row.tobytes() + bytes(-len(row.tobytes()) % 4) for row in rgb[:, :, ::-1])
    yield "bmp-24-top-down", bmp(w, -h, 24, top_down)
    yield "bmp-24-os2", bmp(w, h, 24, bgr, header=12)
    yield "bmp-24-gap", bmp(w, h, 24, bytes(50) + bgr, offset=104)
    yield "bmp-24-no-offset", bmp(w, h, 24, bgr, offset=0)
    yield "bmp-24-masks", bmp(w, h, 24, bgr, compression=3, masks=masks(*M888))
    yield "bmp-24-without-last-padding", bmp(w, h, 24, bgr[:-1])
    for size in (52, 56, 64, 108, 124):
        yield f"bmp-24-header-{size}", bmp(w, h, 24, bgr, header=size)
    yield "bmp-32", bmp(w, h, 32, rows(bgrx))
    layouts = {
        "bgrx": (*M888, 0), "xbgr": (0xFF000000, 0xFF0000, 0xFF00, 0),
        "bgxr": (0xFF000000, 0xFF00, 0xFF, 0), "abgr": (0xFF000000, 0xFF0000, 0xFF00, 0xFF),
        "rgba": (0xFF, 0xFF00, 0xFF0000, 0xFF000000), "bgra": (*M888, 0xFF000000),
        "bgar": (0xFF000000, 0xFF00, 0xFF, 0xFF0000), "none": (0, 0, 0, 0),
    }
    for label, layout in layouts.items():
        for size in (56, 124):
            yield f"bmp-32-{label}-{size}", bmp(
                w, h, 32, rows(bgrx), header=size, compression=3, masks=masks(*layout)
            )
    yield "bmp-32-masks-40", bmp(w, h, 32, rows(bgrx), compression=3, masks=masks(*M888))
    yield "bmp-32-masks-52", bmp(
        w, h, 32, rows(bgrx), header=52, compression=3, masks=masks(*M888)
    )
    yield "bmp-16", bmp(w, h, 16, rows(word16(rgb, 5)))
    yield "bmp-16-555", bmp(w, h, 16, rows(word16(rgb, 5)), compression=3, masks=masks(*M555))
    yield "bmp-16-565", bmp(w, h, 16, rows(word16(rgb, 6)), compression=3, masks=masks(*M565))
    yield "bmp-16-565-v4", bmp(
        w, h, 16, rows(word16(rgb, 6)), header=108, compression=3, masks=masks(*M565)
    )
    for bits in (1, 4, 8):
        index = indices("bmp", w, h, bits)
        data = packed(index, bits)
        yield f"bmp-{bits}", bmp(w, h, bits, data, palette=palette("p", 2**bits))
        yield f"bmp-{bits}-os2", bmp(w, h, bits, data, header=12, palette=palette("p", 2**bits, 3))
        yield f"bmp-{bits}-top-down", bmp(
            w, -h, bits, packed(index[::-1], bits), palette=palette("p", 2**bits)
        )
    index8, index4 = indices("bmp", w, h, 8), indices("bmp", w, h, 4)
    yield "bmp-1-black-white", bmp(
        w, h, 1, packed(indices("bmp", w, h, 1), 1), palette=b"\0\0\0\0\xff\xff\xff\0"
    )
    yield "bmp-1-white-black", bmp(
        w, h, 1, packed(indices("bmp", w, h, 1), 1), palette=b"\xff\xff\xff\0\0\0\0\0"
    )
    yield "bmp-8-grey", bmp(w, h, 8, packed(index8, 8), palette=grey_ramp(256))
    yield "bmp-8-grey-os2", bmp(w, h, 8, packed(index8, 8), header=12, palette=grey_ramp(256, 3))
    yield "bmp-8-short-palette", bmp(
        w, h, 8, packed(index8, 8), palette=palette("p", 100), colours=100
    )
    yield "bmp-8-offset-after-header", bmp(
        w, h, 8, packed(index8, 8), palette=palette("p", 256), offset=54
    )
    yield "bmp-8-two-colours", bmp(
        w, h, 8, packed(index8 & 1, 8), palette=b"\0\0\0\0\xff\xff\xff\0", colours=2
    )
    yield "bmp-8-rle-black-white", bmp(
        w, h, 8, rle8(index8 >> 5), compression=1, palette=b"\0\0\0\0\xff\xff\xff\0", colours=2
    )
    yield "bmp-1-one-colour", bmp(
        w, h, 1, packed(indices("bmp", w, h, 1), 1), palette=bytes(4), colours=1
    )
    yield "bmp-8-rle", bmp(w, h, 8, rle8(index8), compression=1, palette=palette("p", 256))
    yield "bmp-8-rle-top-down", bmp(
        w, -h, 8, rle8(index8), compression=1, palette=palette("p", 256)
    )
    yield "bmp-8-rle-grey", bmp(w, h, 8, rle8(index8), compression=1, palette=grey_ramp(256))
    yield "bmp-4-rle", bmp(w, h, 4, rle4(index4), compression=2, palette=palette("p", 16))
    jumps = b"\x05\x07" + b"\0\2\3\2" + b"\x09\x22" + b"\0\0" + b"\0\2\0\x05"
    runs = jumps + b"\x40\x33" + b"\0\0" + b"\0\2\0\xff"
    yield "bmp-8-rle-jumps", bmp(w, h, 8, runs, compression=1, palette=palette("p", 256))
    yield "bmp-4-rle-jumps", bmp(w, h, 4, runs, compression=2, palette=palette("p", 16))
    odd = b"\0\3abc" + b"\xff\x11" + b"\0\0" + b"\0\2\0\xff"
    yield "bmp-8-rle-odd-start", bmp(
        w, h, 8, b"\0" + odd, compression=1, palette=palette("p", 256), offset=1079
    )


def either():
    """Legal files that Pillow refuses; ours may do either."""
    rgb = picture("bmp", 37, 29)
    yield "bmp-16-444", bmp(
        37, 29, 16, rows(word16(rgb, 5)), compression=3, masks=masks(0xF00, 0xF0, 0xF)
    )


def refused():
    w, h = 37, 29
    rgb = picture("bmp", w, h)
    bgr = rows(rgb[:, :, ::-1])
    whole = bmp(w, h, 24, bgr)
    index8 = indices("bmp", w, h, 8)
    runs = rle8(index8)
    yield "bmp-cut", whole[:-2]
    yield "bmp-cut-in-half", whole[: len(whole) // 2]
    yield "bmp-cut-in-header", whole[:40]
    yield "bmp-only-signature", b"BM"
    yield "bmp-unknown-header", whole[:14] + struct.pack("<I", 41) + whole[18:]
    yield "bmp-zero-width", bmp(0, h, 24, bgr)
    yield "bmp-zero-height", bmp(w, 0, 24, bgr)
    yield "bmp-negative-width", bmp(-w, h, 24, bgr)
    yield "bmp-2-bits", bmp(w, h, 2, bgr, palette=palette("p", 4))
    yield "bmp-jpeg-inside", bmp(w, h, 24, bgr, compression=4)
    yield "bmp-8-rle-cut", bmp(w, h, 8, runs[:-40], compression=1, palette=palette("p", 256))
    yield "bmp-8-rle-ends-early", bmp(
        w, h, 8, b"\x05\x07\0\1", compression=1, palette=palette("p", 256)
    )
    yield "bmp-24-rle", bmp(w, h, 24, bgr, compression=1)
    yield "bmp-4-masks", bmp(w, h, 4, bgr, compression=3, masks=masks(*M565))
    yield "bmp-32-odd-masks", bmp(
        w, h, 32, rows(picture("bmp", w, h, 4)), compression=3, masks=masks(0x0F, 0xF0, 0xF00)
    )
    yield "bmp-too-many-colours", bmp(
        w, h, 8, packed(index8, 8), palette=palette("p", 300), colours=300
    )
    yield "bmp-huge-palette", bmp(w, h, 8, packed(index8, 8), colours=70000)
    yield "bmp-4-grey-ramp", bmp(
        w, h, 4, packed(indices("bmp", w, h, 4), 4), palette=grey_ramp(16)
    )
