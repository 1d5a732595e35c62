"""What scoring a photo gives: plain numbers and images, without torch, fit for a page, a table or JSON."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
from PIL import Image

LONGEST_NAME = 80  # characters of a file's name that are kept
UNCERTAINTIES = ("u_total", "u_aleatoric", "u_epistemic")


@dataclass(frozen=True, eq=False)
class FaceScore:
    """One face. Uncertainties are in nats, coordinates in pixels of the upright photo."""

    box: tuple[float, float, float, float] | None  # left, top, right, bottom; None: the whole image was taken as a face
    detection: float | None  # the detector's own probability that this is a face; None as above
    crop: Image.Image  # what the model was given, before it made it smaller
    samples: np.ndarray  # (S, C) float32, one distribution per sample
    probs: np.ndarray  # (C,) float64, their mean
    u_total: float  # of natural logarithms, at most ln C
    u_aleatoric: float
    u_epistemic: float  # 0 for a model of one sample
    features: Mapping[str, np.ndarray]  # backbone -> (D,) float32, as a cache would keep them

    @property
    def predicted(self) -> int:
        """Index of the most probable class."""
        return int(self.probs.argmax())

    @property
    def confidence(self) -> float:
        return float(self.probs.max())


@dataclass(frozen=True, eq=False)
class PhotoScore:
    """A photo and the faces in it, from left to right; no faces where none was found."""

    name: str  # for people: no path, nothing that a terminal or a page could misread
    image: Image.Image  # L or RGB, upright, without metadata
    classes: tuple[str, ...]
    model: str
    faces: tuple[FaceScore, ...]
    left_out: int = 0  # faces beyond the most that are scored of one photo, the smallest


def records(photos: Iterable[PhotoScore]) -> list[dict[str, Any]]:
    """One flat row per face, of numbers and texts that JSON knows; a photo without a face has none."""
    return [_record(photo, number, face) for photo in photos for number, face in enumerate(photo.faces, start=1)]


def clean_name(name: str) -> str:
    """The last part of a path, without control characters, invisible ones and marks that turn the direction of text.

    >>> clean_name("../../etc/pass\\x00wd"), clean_name("a\\u202egpj.exe"), clean_name("C:\\\\me.jpg"), clean_name("/")
    ('passwd', 'agpj.exe', 'me.jpg', 'photo')
    """
    last = PureWindowsPath(PurePosixPath(name).name).name
    kept = clean_text(last) or "photo"
    return f"{kept[: LONGEST_NAME - 10]}…{kept[-9:]}" if len(kept) > LONGEST_NAME else kept  # the ending stays in sight


def clean_text(text: str) -> str:
    """Without what cannot be seen."""
    return "".join(letter for letter in text if unicodedata.category(letter)[0] != "C").strip()


def _record(photo: PhotoScore, number: int, face: FaceScore) -> dict[str, Any]:
    left, top, right, bottom = (None,) * 4 if face.box is None else (round(edge, 1) for edge in face.box)
    return {
        "photo": photo.name,
        "face": number,
        "box_left": left,
        "box_top": top,
        "box_right": right,
        "box_bottom": bottom,
        "detection": None if face.detection is None else round(face.detection, 4),
        "model": photo.model,
        "samples": len(face.samples),
        "predicted": photo.classes[face.predicted],
        "confidence": round(face.confidence, 6),
        **{part: round(float(getattr(face, part)), 6) for part in UNCERTAINTIES},
        **{f"p_{name}": round(float(p), 6) for name, p in zip(photo.classes, face.probs, strict=True)},
    }
