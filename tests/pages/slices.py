"""What the tests of slices share: filters, a cache to save them in, and the hands that do so."""

import math

import pandas as pd

from cache.filters import Filter, Region
from cache.reader import Cache
from cache.slices import Slice, load, save

MODEL = "compact-ensemble"
WHEN = "2026-11-24T12:00:00+00:00"
PAGES = ("overview", "faces", "slices", "embedding", "calibration", "disagreement", "rejection", "audit")
SURE = Filter(ranges=(("confidence", 0.3, math.inf),))
WRONG = Filter(correct=False)
SIDE = Filter(values=(("attr_light", ("side",)),))
TRIANGLE = Filter(regions=(Region("pca-compact-0", ((-9.0, -9.0), (15.0, -9.0), (-9.0, 15.0))),))


def keep(cache: Cache, name: str, where: Filter, model: str | None = MODEL) -> Slice:
    return save(cache.folder, Slice(name, model, where, "view=Browse", WHEN))


def saved(cache: Cache) -> dict[str, Slice]:
    return load(cache.folder)[0]


def press(page, label: str):
    return next(button for button in page.button if button.label == label).click()


def name_it(page, name: str, key: str = "save-slice"):
    page.text_input(key=f"{key}-name").set_value(name)
    return page.button(key=f"FormSubmitter:{key}-form-Save").click().run()


def contrast_table(page) -> pd.DataFrame:
    return next(table.value for table in page.table if "difference" in table.value.columns).set_index("")
