"""FaceNet's trunk cut at six layers: the same features as facenet-pytorch's own modules give."""

import numpy as np
import pytest
import torch
from PIL import Image

from engine.backbones.facenet import BACKBONES, LAYERS, SIDE, FaceNetTrunk, backbone, named, prepare


def test_every_layer_has_the_width_it_states():
    trunk = FaceNetTrunk("vggface2")
    features = trunk(torch.zeros(2, SIDE, SIDE, 3, dtype=torch.uint8))
    assert {name: tuple(f.shape) for name, f in features.items()} == {
        backbone("vggface2", layer): (2, width) for layer, (_, width) in LAYERS.items()
    }
    assert trunk.outputs == tuple(features)


def test_a_shallow_cut_stops_early_and_gives_the_same():
    torch.manual_seed(0)
    whole, cut = FaceNetTrunk("casia-webface"), FaceNetTrunk("casia-webface", ("mixed-6a", "mixed-5a"))
    cut.load_state_dict({key: whole.state_dict()[key] for key in cut.state_dict()})
    pixels = torch.randint(0, 255, (1, SIDE, SIDE, 3), dtype=torch.uint8)
    shallow, deep = cut(pixels), whole(pixels)
    assert list(shallow) == [backbone("casia-webface", layer) for layer in ("mixed-5a", "mixed-6a")]
    for name, features in shallow.items():
        torch.testing.assert_close(features, deep[name])
    assert sum(p.numel() for p in cut.parameters()) < 0.3 * sum(p.numel() for p in whole.parameters())


def test_unknown_layers_are_refused():
    with pytest.raises(ValueError, match=r"mixed-9z.*mixed-7a"):
        FaceNetTrunk("casia-webface", ("mixed-9z",))
    with pytest.raises(ValueError, match="Choose from"):
        FaceNetTrunk("casia-webface", ())


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("size", [(48, 48), (160, 160), (300, 200)])
def test_prepare_gives_a_central_square_in_colour(size, mode):
    image = Image.new("RGB", size, (200, 10, 90)).convert(mode)
    pixels = prepare(image)
    assert pixels.shape == (SIDE, SIDE, 3) and pixels.dtype == np.uint8
    colour = np.array(image.convert("RGB").getpixel((0, 0)))
    assert np.abs(pixels.astype(int) - colour).max() <= 1


def test_names_expand_to_all_layers_once():
    assert named(["facenet-vggface2", backbone("vggface2", "mixed-7a"), "other"]) == (
        *(backbone("vggface2", layer) for layer in LAYERS),
        "other",
    )
    assert len(BACKBONES) == 12
