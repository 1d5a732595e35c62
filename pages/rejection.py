"""What if the model may abstain?"""

from pages.widgets.caches import need_model, open_view
from pages.widgets.filters import choose_filter
from pages.widgets.problems import guard
from pages.widgets.rejection import rejection

with guard():
    view = open_view("What if the model may abstain?")
    need_model(view)
    where = choose_filter(view, default_split="test")
    rejection(view, where)
