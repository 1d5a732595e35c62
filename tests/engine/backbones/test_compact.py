"""The compact trunk, and what it is shown."""

import numpy as np
import pytest
import torch
from PIL import Image

from engine.backbones.compact import SIDE, CompactTrunk, fold_batch_norm, prepare, standardise
from engine.train import Compact


def test_size_is_what_the_model_card_says():
    count = sum(parameter.numel() for parameter in Compact(8, 0.2).parameters())
    assert 1_000_000 < count < 2_100_000


def test_folding_batch_norm_changes_nothing():
    torch.manual_seed(0)
    trunk = CompactTrunk().train()
    x = torch.randn(64, 1, SIDE, SIDE) * 2 + 1
    for _ in range(3):
        trunk(x)  # running statistics away from their start
    expected = trunk.eval()(x)
    torch.testing.assert_close(fold_batch_norm(trunk)(x), expected, atol=1e-4, rtol=1e-3)


def test_standardise_ignores_light_and_survives_flat_images():
    rng = np.random.default_rng(0)
    image = rng.integers(60, 120, (SIDE, SIDE))
    pixels = torch.from_numpy(np.stack([image, image + 50, np.full_like(image, 9)]).astype(np.uint8))
    x = standardise(pixels)
    assert x.shape == (3, 1, SIDE, SIDE)
    torch.testing.assert_close(x[0], x[1])
    assert torch.all(x[2] == 0)


@pytest.mark.parametrize("size", [(48, 48), (8, 8), (100, 60), (60, 100), (900, 700)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_prepare_gives_a_central_square(mode, size):
    width, height = size
    image = Image.new("L", size, 200)
    side = min(size)
    image.paste(90, ((width - side) // 2, (height - side) // 2, (width + side) // 2, (height + side) // 2))
    prepared = prepare(image.convert(mode))
    assert prepared.shape == (SIDE, SIDE) and prepared.dtype == np.uint8
    assert np.abs(prepared[2:-2, 2:-2].astype(int) - 90).max() <= 1  # the margins are cut, nothing is squeezed


def test_a_grey_face_of_the_right_size_is_untouched():
    pixels = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE), np.uint8)
    np.testing.assert_array_equal(prepare(Image.fromarray(pixels)), pixels)
