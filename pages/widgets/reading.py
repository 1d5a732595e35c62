"""A plain sentence for the triple of one face."""

from collections.abc import Mapping

HIGH, LOW = 75, 25  # percentiles from which a value counts as high or low for its split


def reading(percentiles: Mapping[str, float], samples: int, high: float = HIGH) -> str:
    """What the two parts together say about a face, relative to other faces.

    percentiles: of u_aleatoric and u_epistemic among them; a missing one counts as usual. samples: S of the model.
    """
    aleatoric = percentiles.get("u_aleatoric", 50.0)
    epistemic = percentiles.get("u_epistemic", 50.0)
    if samples < 2:
        if aleatoric >= high:
            return "The model spreads its probability over several expressions. One sample cannot tell why."
        if aleatoric <= LOW:
            return "The model puts nearly all its probability on one expression. One sample cannot tell what it missed."
        return "The model is neither as sure nor as unsure as counts here. One sample cannot tell why."
    if aleatoric >= high and epistemic >= high:
        return (
            "Unsure in both senses: people would probably disagree about this face, and the model has probably seen "
            "few like it. Each sample hesitates between expressions, and the samples contradict each other."
        )
    if aleatoric >= high:
        return (
            "Unsure because people would probably disagree: the samples agree with each other that this face shows "
            "more than one expression."
        )
    if epistemic >= high:
        return (
            "Unsure because it has probably seen few faces like this one: the samples contradict each other, as they "
            "do on faces unlike those of the training."
        )
    if aleatoric <= LOW and epistemic <= LOW:
        return "Sure in both senses: every sample names the same expression with confidence."
    return "Neither stands out: no kind of doubt is as large as counts here."


def rule(high: float = HIGH) -> str:
    """When a part counts as high or low."""
    return f"Counts as high from the {high:.0f}th percentile, as low up to the {LOW}th."
