"""The one visual language (Okabe-Ito): the same colour means the same thing in every chart, badge and legend."""

TOTAL = "#5A5A5A"
ALEATORIC = "#D55E00"
EPISTEMIC = "#0072B2"
MODEL = "#009E73"
ANNOTATORS = {"light": "#000000", "dark": "#E6E8EB"}  # black ink, and its counterpart on a dark page
TRIPLE = {"u_total": TOTAL, "u_aleatoric": ALEATORIC, "u_epistemic": EPISTEMIC}
OUTLINE = "#8A8A8A"  # keeps black bars visible when the reader turns the page dark after they were drawn
CLEAR = "rgba(0,0,0,0)"  # backgrounds: the page's own shows through, light or dark
