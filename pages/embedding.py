"""Where do uncertain faces live?"""

from pages.widgets.caches import open_view
from pages.widgets.embedding import embedding
from pages.widgets.filters import choose_filter
from pages.widgets.problems import guard

with guard():
    view = open_view("Where do uncertain faces live?")
    where = choose_filter(view)
    embedding(view, where)
