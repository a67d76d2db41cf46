"""Seeded synthetic pictures: gradients, discs, stripes and some noise."""

import zlib

import numpy as np


def picture(name, width, height, channels=3):
    """uint8 [height, width, channels], the same for the same name and sides."""
    random = np.random.RandomState(zlib.crc32(f"{name} {width}x{height}".encode()))
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    planes = []
    for _ in range(channels):
        angle, period = random.uniform(0, np.pi), random.uniform(6, 60)
        wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
        ramp = x / max(1, width - 1) * random.uniform(-1, 1) + y / max(1, height - 1)
        plane = 128 + 50 * wave + 60 * ramp
        for _ in range(4):
            radius = random.uniform(2, 3 + min(width, height) / 2)
            cx, cy = random.uniform(0, width), random.uniform(0, height)
            plane[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] += random.uniform(-120, 120)
        plane += random.normal(0, 4, plane.shape)
        planes.append(plane)
    return np.clip(np.stack(planes, axis=-1), 0, 255).astype(np.uint8)
