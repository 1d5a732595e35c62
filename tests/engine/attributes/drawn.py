"""A face of ellipses in colour that O-Net takes for one; nobody's photo."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SKIN = (176, 124, 96)
# where its eyes, nose tip and corners of the mouth are drawn, in shares of the side
POINTS = np.array([[0.325, 0.38], [0.675, 0.38], [0.5, 0.58], [0.37, 0.77], [0.63, 0.77]])


def drawn_face(side: int = 160, skin: tuple[int, int, int] = SKIN, ground: tuple[int, int, int] = (60, 90, 120)):
    image = Image.new("RGB", (side, side), ground)
    draw = ImageDraw.Draw(image)

    def disc(x: float, y: float, width: float, height: float, colour: tuple[int, ...]) -> None:
        draw.ellipse([(x - width) * side, (y - height) * side, (x + width) * side, (y + height) * side], fill=colour)

    def shade(times: float) -> tuple[int, ...]:
        return tuple(int(channel * times) for channel in skin)

    disc(0.5, 0.42, 0.46, 0.50, (40, 28, 22))  # hair
    disc(0.5, 0.52, 0.40, 0.50, skin)
    for x, _ in POINTS[:2]:
        disc(x, 0.38, 0.10, 0.055, shade(0.65))
        disc(x, 0.38, 0.08, 0.040, (235, 232, 228))
        disc(x, 0.38, 0.04, 0.040, (35, 25, 20))
        draw.line(
            [((x + dx) * side, y * side) for dx, y in ((-0.1, 0.3), (0, 0.27), (0.1, 0.3))], (50, 35, 30), side // 30
        )
    draw.polygon([(x * side, y * side) for x, y in ((0.5, 0.42), (0.44, 0.6), (0.56, 0.6))], fill=shade(0.9))
    disc(0.46, 0.60, 0.025, 0.02, shade(0.5))
    disc(0.54, 0.60, 0.025, 0.02, shade(0.5))
    disc(0.5, 0.77, 0.13, 0.05, (150, 70, 70))
    draw.line([(0.37 * side, 0.77 * side), (0.63 * side, 0.77 * side)], (80, 30, 30), max(1, side // 60))
    return image.filter(ImageFilter.GaussianBlur(side / 100))
