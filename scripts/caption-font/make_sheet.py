"""Draw the letters of `edge-infer verify --explain` pictures, so that no host needs a font.

Writes a grey PNG with the printable ASCII characters side by side. In its first row, a white
pixel marks the first column of each character, and one more the end. The font is the one built
into Pillow 13: Aileron by Sora Sagano, CC0.
"""

import sys

from PIL import Image, ImageDraw, ImageFont

SIZE = 17
HEIGHT = 23  # the row of marks included

font = ImageFont.load_default(SIZE)
characters = [chr(code) for code in range(32, 127)]
advances = [round(font.getlength(character)) for character in characters]
sheet = Image.new("L", (sum(advances) + 1, HEIGHT))
left = 0
for character, advance in zip(characters, advances, strict=True):
    # A cell of its own, so that no letter reaches into its neighbour.
    cell = Image.new("L", (advance, HEIGHT))
    ImageDraw.Draw(cell).text((0, 1), character, fill=255, font=font)
    sheet.paste(cell, (left, 0))
    left += advance
sheet.paste(0, (0, 0, sheet.width, 1))
for column in [sum(advances[:index]) for index in range(len(advances) + 1)]:
    sheet.putpixel((column, 0), 255)
sheet.save(sys.argv[1], optimize=True)
