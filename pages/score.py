"""What does the model see in a new photo, how sure is it in each sense, and where does that stand among known faces?"""

from pages.widgets.caches import need_model, open_view
from pages.widgets.problems import empty, guard
from pages.widgets.score_found import found
from pages.widgets.score_input import photos
from pages.widgets.scored import score_all
from pages.widgets.scorer import runnable

with guard():
    view = open_view("What does the model see in a new photo, and how sure is it?")
    model = need_model(view)
    if model not in runnable(view):
        empty(
            f"{model} was imported: its predictions are here, and the model itself is not. Choose another model in the "
            "sidebar, or add one that can be run:",
            f"python -m engine build {view.cache.manifest.source.spec or 'SOURCE'} --out {view.cache.folder} "
            "--model compact-ensemble",
        )
    scored = score_all(view, model, photos())
    if scored:
        found(view, model, scored)
