"""A plain sentence for the triple of one face."""

from cache.reader import Face

HIGH, LOW = 75, 25  # percentiles from which a value counts as high or low for its split


def reading(face: Face, samples: int) -> str:
    """What the two parts together say about this face, relative to the faces of its split."""
    aleatoric = face.percentiles.get("u_aleatoric", 50.0)
    epistemic = face.percentiles.get("u_epistemic", 50.0)
    if samples < 2:
        if aleatoric >= HIGH:
            return "The model spreads its probability over several expressions. One sample cannot tell why."
        if aleatoric <= LOW:
            return "The model puts nearly all its probability on one expression. One sample cannot tell what it missed."
        return "The model is about as unsure as usual. One sample cannot tell why."
    if aleatoric >= HIGH and epistemic >= HIGH:
        return (
            "Doubtful in both senses: each sample hesitates between expressions, and the samples contradict each other."
        )
    if aleatoric >= HIGH:
        return "An ambiguous face: the samples agree with each other that it shows more than one expression."
    if epistemic >= HIGH:
        return (
            "An unfamiliar face: the samples contradict each other, as they do on faces unlike those of the training."
        )
    if aleatoric <= LOW and epistemic <= LOW:
        return "A clear and familiar face: every sample names the same expression with confidence."
    return "Nothing stands out: both kinds of doubt are about as large as usual here."
