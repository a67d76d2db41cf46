"""Writes seeded damaged copies of the fixtures and what Pillow makes of each.

    python mutate.py FOLDER [COUNT] [SEED]

FOLDER gets the files and expected.json: for each file the sides and the SHA-256 of the decoded
pixels (null where Pillow refuses). `node compare.ts FOLDER` then lists where ours differs.
"""

import hashlib
import json
import pathlib
import random
import signal
import sys
import zlib

import numpy as np

from reference import decode

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "imaging"


def png_with_right_checks(data):
    """Checksums put right: a reader that verifies them sees the damage behind them."""
    out, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + length > len(data):
            break
        body = data[at + 4 : at + 8 + length]
        out += data[at : at + 4] + body + zlib.crc32(body).to_bytes(4, "big")
        at += 12 + length
    return bytes(out + data[at:])


def mutate(data, chance):
    out = bytearray(data)
    # Headers are small and matter most: half of the changes go into the first 200 bytes.
    gentle = chance.random() < 0.7
    for _ in range(chance.choice([1, 1, 1, 2, 3, 8])):
        limit = len(out) if chance.random() < 0.5 else min(200, len(out))
        at = chance.randrange(limit)
        kind = chance.randrange(4 if gentle else 7)
        if kind <= 2:
            out[at] = chance.choice([0, 1, 0x7F, 0x80, 0xFF, 0xD9, chance.randrange(256)])
        elif kind == 3:
            out[at] ^= 1 << chance.randrange(8)
        elif kind == 4:
            del out[at : at + chance.choice([1, 2, 4, 60])]
        elif kind == 5:
            out[at:at] = bytes(chance.randrange(256) for _ in range(chance.choice([1, 2, 4])))
        else:
            del out[max(60, at) :]
        if not out:
            break
    if out[1:4] == b"PNG" and chance.random() < 0.7:
        return png_with_right_checks(bytes(out))
    return bytes(out)


def expectation(data):
    found = {}
    for colour in ("rgb", "grey"):
        pixels = np.asarray(decode(data, colour, "ignore"))
        found[colour] = hashlib.sha256(pixels.tobytes()).hexdigest()
    return {"width": pixels.shape[1], "height": pixels.shape[0], **found}


def give_up(*_):
    raise TimeoutError("took too long")


def main(folder, count=2000, seed=1):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    sources = sorted(path for path in FIXTURES.iterdir() if path.suffix != ".json")
    sources = [path for path in sources if path.stat().st_size < 30000]
    signal.signal(signal.SIGALRM, give_up)
    expected = {}
    for i in range(count):
        source = chance.choice(sources)
        data = mutate(source.read_bytes(), chance)
        name = f"{i:06}-{source.name}"
        (folder / name).write_bytes(data)
        signal.alarm(20)
        try:
            expected[name] = expectation(data)
        except Exception as error:
            expected[name] = {"refused": f"{type(error).__name__}: {error}"}
        signal.alarm(0)
    (folder / "expected.json").write_text(json.dumps(expected, indent=0))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
