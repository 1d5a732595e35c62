"""Votes beside probabilities, without Streamlit."""

import numpy as np
import pytest

from pages.charts.colours import ANNOTATORS, CLEAR, MODEL
from pages.charts.votes import describe_votes, spread, votes_and_probabilities

CLASSES = ("neutral", "fear", "anger")
VOTES = np.array([1.0, 6.0, 3.0])
SAMPLES = np.array([[0.1, 0.9, 0.0], [0.3, 0.5, 0.2], [0.2, 0.7, 0.1]])
PROBS = SAMPLES.mean(axis=0)


def test_votes_become_shares_beside_probabilities():
    annotators, model = votes_and_probabilities(CLASSES, VOTES, PROBS, SAMPLES).data
    assert list(annotators.x) == [0.1, 0.6, 0.3]
    assert list(model.x) == list(PROBS)
    assert (annotators.marker.color, model.marker.color) == (ANNOTATORS["light"], MODEL)
    assert annotators.name == "annotators" and model.name == "model"


def test_whiskers_are_the_middle_95_percent_of_the_samples():
    (model,) = votes_and_probabilities(CLASSES, None, PROBS, SAMPLES).data
    low, high = np.percentile(SAMPLES, [2.5, 97.5], axis=0)
    np.testing.assert_allclose(PROBS - model.error_x.arrayminus, low)
    np.testing.assert_allclose(PROBS + model.error_x.array, high)
    assert model.error_x.visible


@pytest.mark.parametrize("samples", [None, SAMPLES[:1]])
def test_no_whiskers_with_one_sample(samples):
    (model,) = votes_and_probabilities(CLASSES, None, SAMPLES[0], samples).data
    assert not model.error_x.visible
    assert all((end == SAMPLES[0]).all() for end in spread(SAMPLES[0], samples))


def test_whiskers_enclose_the_mean_however_skewed():
    skewed = np.array([[0.0]] * 99 + [[1.0]])
    low, high = spread(skewed.mean(axis=0), skewed)
    assert low[0] <= 0.01 <= high[0]


def test_votes_that_are_all_zero_are_no_votes():
    assert len(votes_and_probabilities(CLASSES, np.zeros(3), None, None).data) == 0


def test_axis_and_theme():
    figure = votes_and_probabilities(CLASSES, VOTES, PROBS, SAMPLES, theme="dark")
    assert "share of votes" in figure.layout.xaxis.title.text
    assert figure.layout.paper_bgcolor == CLEAR
    assert figure.data[0].marker.color == ANNOTATORS["dark"] != ANNOTATORS["light"]
    assert list(figure.data[0].y) == list(CLASSES)


def test_described_in_words():
    assert describe_votes(CLASSES, VOTES, PROBS) == (
        "Annotators' votes: fear 6, anger 3, neutral 1. Model's probabilities: fear 0.70, neutral 0.20, anger 0.10."
    )
    assert describe_votes(CLASSES, None, None) == "Neither votes nor probabilities are known."


def test_class_names_are_not_markup():
    assert list(votes_and_probabilities(["<b>a</b>"], np.ones(1), None, None).data[0].y) == ["&lt;b&gt;a&lt;/b&gt;"]
