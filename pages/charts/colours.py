"""The one visual language (Okabe-Ito): the same colour means the same thing in every chart, badge and legend."""

TOTAL = "#5A5A5A"
ALEATORIC = "#D55E00"
EPISTEMIC = "#0072B2"
MODEL = "#009E73"
ANNOTATORS = {"light": "#000000", "dark": "#E6E8EB"}  # black ink, and its counterpart on a dark page
TRIPLE = {"u_total": TOTAL, "u_aleatoric": ALEATORIC, "u_epistemic": EPISTEMIC}
OUTLINE = "#8A8A8A"  # keeps black bars visible when the reader turns the page dark after they were drawn
CLEAR = "rgba(0,0,0,0)"  # backgrounds: the page's own shows through, light or dark

# Models beside each other, the one that the page is about first. None of these is a colour of the triple, and each has
# a symbol of its own as well.
MODELS = ((MODEL, "circle"), ("#E69F00", "square"), ("#CC79A7", "diamond"), ("#56B4E9", "triangle-up"))


def part_colour(part: str, theme: str) -> str:
    """The colour of a part of the triple; on a dark page the total's grey is lighter, to stand out from it.

    >>> part_colour("u_total", "light"), part_colour("u_total", "dark")
    ('#5A5A5A', '#8A8A8A')
    """
    return OUTLINE if theme == "dark" and part == "u_total" else TRIPLE[part]


def faint(colour: str, opacity: float) -> str:
    """The colour as a tint for bands behind lines.

    >>> faint("#D55E00", 0.15)
    'rgba(213, 94, 0, 0.15)'
    """
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"
