"""The measured attributes against the truth of the probe faces: the tables of docs/attributes.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from engine.attributes.agreement import Agreement, Draws, agreement
from engine.attributes.measure import ATTRIBUTES, Measurer
from engine.attributes.skin import ita, monk_lab
from engine.metrics.bootstrap import Estimate
from engine.probe.design import LIGHTS, YAWS, scenes
from engine.sources.probe import open_probe
from engine.sources.rows import Item

BLURS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)  # pixels, standard deviation of the Gaussian, at 112 pixels a side
SIDES = (24, 32, 48, 64, 96, 112, 160, 224)  # pixels
FULL = 112  # pixels, the side of a probe face
LIT = ("brightness", "contrast", "light_balance", "sharpness", "ita", "monk")

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Probe:
    """N probe faces and what is known of them.

    person, scene: (N,) whose image and which scene; light: (N,) its name; centre: (N,) bool; truth: (N,) each: tone,
    ita (of the tone's own colour), yaw, pitch, roll (degrees, with the signs of pose), near (1 / zoom of the camera).
    """

    images: tuple[Image.Image, ...]
    person: NDArray[np.int_]
    scene: NDArray[np.int_]
    light: NDArray[np.str_]
    centre: NDArray[np.bool_]
    truth: Mapping[str, Floats]


def load(split: str) -> Probe:
    items = [item for item in open_probe().entries() if isinstance(item, Item) and item.split == split]

    def column(name: str) -> Floats:
        return np.array([item.attributes[name] for item in items], dtype=np.float64)

    every, scene, tone = scenes(), column("scene").astype(int), column("tone")
    cameras = [every[i] for i in scene]
    return Probe(
        images=tuple(item.load() for item in items),
        person=np.array([camera.identity for camera in cameras]),
        scene=scene,
        light=np.array([item.attributes["light"] for item in items], dtype=np.str_),
        centre=column("centre") == 1,
        truth={
            "tone": tone,
            "ita": ita(monk_lab())[tone.astype(int) - 1],
            "yaw": column("yaw"),
            "pitch": np.array([-camera.pitch for camera in cameras]),  # a camera from above sees a lowered face
            "roll": np.array([camera.roll for camera in cameras]),
            "near": np.array([1 / camera.zoom for camera in cameras]),
        },
    )


def columns(measurer: Measurer, images: Sequence[Image.Image]) -> dict[str, Floats]:
    """Every number that is measured, (N,) each, NaN where unknown."""
    measured = measurer.measure(images)
    return {a.name: np.array(measured[a.name], dtype=np.float64) for a in ATTRIBUTES if a.kind == "number"}


def agreements(probe: Probe, measured: Mapping[str, Floats]) -> Iterator[tuple[str, str, Agreement]]:
    """(what against what, which faces, agreement): pose by yaw, tone by light, size."""
    everyone = {"all": np.ones(len(probe.images), dtype=bool)}
    by_yaw = everyone | {f"yaw {yaw}": probe.truth["yaw"] == yaw for yaw in YAWS}
    by_light = everyone | {f"light {name}": probe.light == name for name in LIGHTS}
    size = measured["face_size"] / np.nanmean(measured["face_size"])
    near = probe.truth["near"] / probe.truth["near"].mean()
    for name, values, truth, slices in (
        ("head_yaw, true yaw", measured["head_yaw"], probe.truth["yaw"], by_yaw),
        ("head_pitch, true pitch", measured["head_pitch"], probe.truth["pitch"], by_yaw),
        ("head_roll, true roll", measured["head_roll"], probe.truth["roll"], by_yaw),
        ("ita, that of the tone", measured["ita"], probe.truth["ita"], by_light),
        ("monk, true tone", measured["monk"], probe.truth["tone"], by_light),
        ("face_size, 1 / zoom (each over its mean)", size, near, everyone),
    ):
        for title, faces in slices.items():
            yield name, title, agreement(values[faces], truth[faces], probe.person[faces])


def light_changes(probe: Probe, measured: Mapping[str, Floats]) -> Iterator[tuple[str, str, Estimate]]:
    """(attribute, change of light, mean change within a scene where nothing else changes), at all yaws and at 0."""
    keys = zip(probe.scene, probe.truth["tone"], probe.truth["yaw"], probe.light, strict=True)
    place = {key: i for i, key in enumerate(keys)}
    for other in LIGHTS[1:]:
        pairs = [(i, place.get((*key[:3], LIGHTS[0]))) for key, i in place.items() if key[3] == other]
        lit, plain = np.array([pair for pair in pairs if pair[1] is not None]).T
        for name in LIT:
            change, person = measured[name][lit] - measured[name][plain], probe.person[lit]
            yield name, f"{LIGHTS[0]} to {other}", Draws(person).mean(change)
            facing = probe.truth["yaw"][lit] == 0
            yield name, f"{LIGHTS[0]} to {other}, yaw 0", Draws(person[facing]).mean(change[facing])


def degradations(probe: Probe, measurer: Measurer) -> Iterator[tuple[str, str, Estimate]]:
    """(attribute, what was done, statistic): the centres of the scenes blurred, and resized."""
    images = [image for image, centre in zip(probe.images, probe.centre, strict=True) if centre]
    person = probe.person[probe.centre]
    draws = Draws(person)

    blurred = [[im.filter(ImageFilter.GaussianBlur(blur)) if blur else im for im in images] for blur in BLURS]
    sharp = np.stack([columns(measurer, part)["sharpness"] for part in blurred])  # (B, K)
    for blur, values in zip(BLURS[1:], sharp[1:], strict=True):
        yield "sharpness", f"blurred by {blur:g} px / as it is", draws.mean(values / sharp[0])
    falls = np.asarray((np.diff(sharp, axis=0) < 0).all(axis=0), dtype=np.float64)  # (K,)
    yield "sharpness", "share of faces in which it falls with every step of blur", draws.mean(falls)
    ranked = agreement(sharp.ravel(), -np.repeat(BLURS, len(images)), np.tile(person, len(BLURS)))
    yield "sharpness", "Spearman with -blur over all faces and steps", ranked.spearman

    sized = {px: columns(measurer, [im.resize((px, px), Image.Resampling.LANCZOS) for im in images]) for px in SIDES}
    for name, expected in (("sharpness", 0), ("face_size", 1)):
        for px, part in sized.items():
            title = f"{px} px / {FULL} px" + f", times {FULL} / {px}" * expected
            yield name, title, draws.mean(part[name] / sized[FULL][name] * (FULL / px) ** expected)
