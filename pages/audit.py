"""Do groups of faces get different answers?"""

from pages.widgets.caches import open_view
from pages.widgets.problems import guard

with guard():
    view = open_view("Do groups of faces get different answers?")
