"""What changes when only the tone, the turn or the light changes?"""

from pages.widgets.caches import need_model, open_view
from pages.widgets.filters import choose_filter
from pages.widgets.probe import need_probe, one_factor
from pages.widgets.probe_limits import limits
from pages.widgets.probe_skew import skewed_training
from pages.widgets.problems import guard

with guard():
    view = open_view("What changes when only the tone, the turn or the light changes?")
    need_probe(view)
    need_model(view)
    where = choose_filter(view, default_split="test")
    one_factor(view, where)
    skewed_training(view, where)
    limits()
