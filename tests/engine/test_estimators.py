"""Samples of class probabilities: their shape, their law, and what must not change them."""

import numpy as np
import pytest
import torch

from engine.estimators import deterministic, ensemble
from engine.estimators.head import Head
from engine.estimators.mc_dropout import BLOCK_CPU, ThinnedNetworks, draw_masks
from engine.metrics.uncertainty import decompose

FEATURES, CLASSES = 40, 8


@pytest.fixture
def head() -> Head:
    torch.manual_seed(0)
    head = Head(FEATURES, CLASSES, dropout=0.4)
    with torch.no_grad():
        for layer in (head.first, head.second, head.last):
            layer.weight.mul_(3.0)
    return head.eval()


@pytest.fixture
def features() -> torch.Tensor:
    return torch.randn(70, FEATURES, generator=torch.Generator().manual_seed(1))


def by_hand(head: Head, features: torch.Tensor, samples: int, seed: int) -> torch.Tensor:
    """The same masks, multiplied in one at a time: the definition, without any of the speed."""
    keep = 1 - head.dropout
    masks = [draw_masks(samples, width, head.dropout, seed, i) / keep for i, width in enumerate(head.widths)]
    outputs = []
    for s in range(samples):
        h = torch.relu(head.first(features * masks[0][s]))
        h = torch.relu(head.second(h * masks[1][s]))
        outputs.append(torch.softmax(head.last(h * masks[2][s]), dim=-1))
    return torch.stack(outputs, dim=1)


def test_thinned_networks_equal_their_definition(head, features):
    probs = ThinnedNetworks(head, samples=9, seed=3)(features)
    torch.testing.assert_close(probs, by_hand(head, features, 9, 3), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(probs.sum(-1), torch.ones(70, 9))


def test_means_agree_with_ordinary_dropout_within_monte_carlo_error(head, features):
    torch.manual_seed(5)
    head.train()
    ordinary = torch.stack([torch.softmax(head(features), -1) for _ in range(1500)], 1).detach()
    thinned = ThinnedNetworks(head, samples=1500, seed=11)(features)
    difference = (ordinary.mean(1) - thinned.mean(1)).abs()
    error = (ordinary.var(1) / 1500 + thinned.var(1) / 1500).sqrt()
    assert (difference / error).max() < 5.0  # 560 comparisons; 5 standard errors
    spread = (ordinary.std(1) - thinned.std(1)).abs().mean()
    assert spread < 0.015  # and not the mean alone: the samples vary as much; two ordinary runs differ by .0095


def test_batch_size_and_order_change_nothing(head):
    features = torch.randn(BLOCK_CPU + 30, FEATURES)
    networks = ThinnedNetworks(head, samples=6, seed=0)
    whole = networks(features)
    alone = torch.cat([networks(row[None]) for row in features[-5:]])
    torch.testing.assert_close(whole[-5:], alone, atol=1e-5, rtol=1e-4)
    order = torch.randperm(len(features))
    torch.testing.assert_close(networks(features[order]), whole[order], atol=1e-5, rtol=1e-4)


def test_seed_decides(head, features):
    first, again, other = (ThinnedNetworks(head, 5, seed)(features) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_masks_keep_one_minus_rate():
    masks = draw_masks(400, 500, 0.3, seed=0, layer=0)
    assert masks.float().mean().item() == pytest.approx(0.7, abs=0.005)
    assert not torch.equal(masks, draw_masks(400, 500, 0.3, seed=0, layer=1))


def test_no_faces(head):
    assert ThinnedNetworks(head, 5, 0)(torch.zeros(0, FEATURES)).shape == (0, 5, CLASSES)


def test_refusals(head):
    with pytest.raises(ValueError, match="at least one sample"):
        ThinnedNetworks(head, 0, 0)
    with pytest.raises(ValueError, match="deterministic"):
        ThinnedNetworks(Head(4, 3, dropout=0.0), 5, 0)
    with pytest.raises(ValueError, match=r"\[0, 1\)"):
        Head(4, 3, dropout=1.0)


def test_deterministic_has_one_sample_and_no_epistemic_part(head, features):
    probs = deterministic.predict(head, features)
    assert probs.shape == (70, 1, CLASSES)
    assert np.all(decompose(probs.detach().numpy()).epistemic == 0.0)


def test_ensemble_puts_members_side_by_side(head, features):
    first, second = ThinnedNetworks(head, 4, 0), ThinnedNetworks(head, 3, 1)
    probs = ensemble.predict([first(features), second(features * 2)])
    assert probs.shape == (70, 7, CLASSES)
    torch.testing.assert_close(probs[:, 4:], second(features * 2))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_cuda_gives_the_same_samples(head, features):
    on_cpu = ThinnedNetworks(head, 20, 0)(features)
    on_gpu = ThinnedNetworks(head.cuda(), 20, 0)(features.cuda()).cpu()
    torch.testing.assert_close(on_cpu, on_gpu, atol=1e-4, rtol=1e-3)
