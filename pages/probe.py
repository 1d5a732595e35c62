"""What changes when only the tone, the turn or the light changes?"""

from pages.widgets.caches import open_view
from pages.widgets.problems import guard

with guard():
    view = open_view("What changes when only the tone, the turn or the light changes?")
