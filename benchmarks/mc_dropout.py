"""Monte Carlo dropout: CPU seconds of the thinned networks against the plain loop, and against the arithmetic alone."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from benchmarks.report import Figure, median
from engine.estimators.head import Head
from engine.estimators.mc_dropout import ThinnedNetworks

FACES, SAMPLES, CLASSES = 3_579, 50, 8
HEADS = {
    "896-d features, rate .5": (896, 0.5),  # what the bar was set for
    "1,792-d features, rate .05 (uncnet)": (1792, 0.05),
    "224-d features, rate .2 (compact)": (224, 0.2),
}
ROUNDS = 5


@torch.inference_mode()
def plain_loop(head: Head, features: Tensor) -> Tensor:
    """S forward passes with dropout switched on: the textbook way."""
    head.train()
    samples = [torch.softmax(head(features), dim=-1) for _ in range(SAMPLES)]
    head.eval()
    return torch.stack(samples, dim=1)


def figures() -> Iterator[Figure]:
    for title, (dimensions, rate) in HEADS.items():
        torch.manual_seed(0)
        head = Head(dimensions, CLASSES, rate).eval()
        with torch.no_grad():  # spread the answers, so that agreement means something
            for layer in (head.first, head.second, head.last):
                layer.weight.mul_(2.0)
        features = torch.randn(FACES, dimensions).abs()
        networks = ThinnedNetworks(head, SAMPLES, seed=0)
        plain, plain_one_core, thinned = [], [], []
        for _ in range(ROUNDS):  # in turns, so that a busy moment of the machine hits all
            plain.append(_cpu_seconds(lambda h=head, f=features: plain_loop(h, f)))
            with _one_core():  # as the pipeline runs it
                thinned.append(_cpu_seconds(lambda n=networks, f=features: n(f)))
                plain_one_core.append(_cpu_seconds(lambda h=head, f=features: plain_loop(h, f)))
        bar = 25.0 if dimensions == 896 else None
        for name, loop, least in (("plain loop", plain, bar), ("plain loop on one core", plain_one_core, None)):
            ratio = [slow / fast for slow, fast in zip(loop, thinned, strict=True)]
            yield Figure(f"MC dropout, {title}: {name} / thinned", median(ratio), "x CPU time", least)
        yield Figure(f"MC dropout, {title}: thinned networks", median(thinned), "CPU s")
        yield Figure(f"MC dropout, {title}: difference of the means", _disagreement(head, networks, features), "SE")


@contextmanager
def _one_core() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _disagreement(head: Head, networks: ThinnedNetworks, features: Tensor) -> float:
    """Root mean square difference of the two mean probabilities, in its Monte Carlo standard errors; 1 is chance."""
    plain, thinned = plain_loop(head, features), networks(features)
    difference = plain.mean(1) - thinned.mean(1)
    variance = (plain.var(1) + thinned.var(1)) / SAMPLES
    return float((difference.square().sum() / variance.sum()).sqrt())


def _cpu_seconds(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start
