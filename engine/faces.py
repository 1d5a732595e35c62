"""Find the faces in a photo, and cut each out framed as the faces of FER+ are.

A model trained on FER+ has only seen that framing; a tighter or wider crop is a shift of its own and would
show up as uncertainty.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

# Where FER+'s square lies relative to MTCNN's box, measured as docs/sources.md tells: medians over 278 faces
# found among 300 of FER2013Train. Middle half: scale 1.04 to 1.24, shift down -.058 to .005. Sideways the
# median is -.006; faces have no preferred side, so none is built in.
CROP_SCALE = 1.12  # side of the square / sqrt(width x height of the box)
CROP_DOWN = -0.028  # centre of the square below the centre of the box, in the same unit; negative: above

DETECT_SIDE = 1600  # pixels; larger photos are searched at this size (about .4 s on two cores)
PAD_SIDE = 160  # pixels; smaller images get a frame, without which MTCNN misses faces that fill the picture
PAD_GREY = 64  # 25 % grey, as measured
MIN_FACE = 20  # pixels at search size, the smallest face looked for
MIN_PROBABILITY = 0.9  # MTCNN's own threshold, .7, lets through patterns that are no faces


@dataclass(frozen=True, eq=False)
class DetectedFace:
    """One face. Coordinates are pixels of the image that was searched, from its upper left corner."""

    box: tuple[float, float, float, float]  # left, top, right, bottom, as detected; may pass the border
    probability: float
    crop: Image.Image  # square, mode of the image searched, at its resolution
    landmarks: np.ndarray  # (5, 2) float32: left eye, right eye, nose, left and right mouth corner, as seen


class FaceDetector:
    """MTCNN, loaded once. `find` may be called from several threads."""

    def __init__(self, device: str = "cpu", min_probability: float = MIN_PROBABILITY) -> None:
        from facenet_pytorch import MTCNN

        self.min_probability = min_probability
        self._mtcnn = MTCNN(keep_all=True, min_face_size=MIN_FACE, device=device)

    def find(self, image: Image.Image) -> list[DetectedFace]:
        """Every face in an L or RGB image, left to right; an empty list when there is none."""
        scale = min(1.0, DETECT_SIDE / max(image.size))
        searched = image.convert("RGB")
        if scale < 1.0:
            size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
            searched = searched.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        framed, left, top = _framed(searched)
        boxes, probabilities, landmarks = self._detect(framed)

        corner = np.array([left, top], dtype=np.float32)
        # each axis by its own factor: rounding the size makes them differ a little
        back = np.array([image.width / searched.width, image.height / searched.height], dtype=np.float32)
        boxes = ((boxes.reshape(-1, 2, 2) - corner) * back).reshape(-1, 4)  # (F, 4)
        landmarks = (landmarks - corner) * back  # (F, 5, 2)
        faces = []
        for i in np.lexsort((boxes[:, 1], boxes[:, 0])):  # left to right, then top to bottom
            box = (float(boxes[i, 0]), float(boxes[i, 1]), float(boxes[i, 2]), float(boxes[i, 3]))
            if probabilities[i] >= self.min_probability and min(box[2] - box[0], box[3] - box[1]) >= 1:
                crop = crop_like_ferplus(image, box)
                faces.append(DetectedFace(box, float(probabilities[i]), crop, landmarks[i]))
        return faces

    def _detect(self, image: Image.Image) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(F, 4) boxes, (F,) probabilities, (F, 5, 2) landmarks, all float32."""
        boxes, probabilities, landmarks = self._mtcnn.detect(image, landmarks=True)
        if boxes is None:
            return np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 5, 2), np.float32)
        return (
            np.asarray(boxes, dtype=np.float32).reshape(-1, 4),  # they come as arrays of objects
            np.asarray(probabilities, dtype=np.float32).reshape(-1),
            np.asarray(landmarks, dtype=np.float32).reshape(-1, 5, 2),
        )


def crop_like_ferplus(image: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """The square around an MTCNN box that FER+ would have cut; beyond the border the edge repeats."""
    left, top, right, bottom = box
    unit = float(np.sqrt((right - left) * (bottom - top)))
    side = max(1, round(CROP_SCALE * unit))
    x = round((left + right) / 2 - side / 2)
    y = round((top + bottom) / 2 + CROP_DOWN * unit - side / 2)
    # repeated edges keep the brightness of the surroundings; a grey frame would add a contour beside the face
    columns = np.clip(np.arange(x, x + side), 0, image.width - 1)
    rows = np.clip(np.arange(y, y + side), 0, image.height - 1)
    near = image.crop((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))
    pixels = np.asarray(near)[np.ix_(rows - rows[0], columns - columns[0])]  # (side, side[, 3])
    return Image.fromarray(np.ascontiguousarray(pixels))


def _framed(image: Image.Image) -> tuple[Image.Image, int, int]:
    """Centre a small image on grey; also how far it moved right and down. Large ones stay as they are."""
    width, height = max(image.width, PAD_SIDE), max(image.height, PAD_SIDE)
    if (width, height) == image.size:
        return image, 0, 0
    canvas = Image.new("RGB", (width, height), (PAD_GREY,) * 3)
    left, top = (width - image.width) // 2, (height - image.height) // 2
    canvas.paste(image, (left, top))
    return canvas, left, top
