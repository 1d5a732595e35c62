"""Which cache and model a page shows: found on disk, chosen in the sidebar, named in the URL."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from cache.filters import Filter
from cache.reader import EVERYTHING, Cache
from cache.slices import Slice
from pages.opening import data_folder, default_cache, find_caches, opened, stamp_of
from pages.widgets import problems
from pages.widgets.address import arrive, asked, ignore, kept
from pages.widgets.bound import select
from pages.widgets.chosen_slice import SLICE, choose_slice
from pages.widgets.face_address import FACE, PICKED
from pages.widgets.map_address import LASSO, LAYOUT, UNCERTAINTIES, WINDOW
from pages.widgets.site import site
from pages.widgets.wording import count, plain

OF_ONE_CACHE = (LASSO, WINDOW, PICKED, FACE, "page")


@dataclass(frozen=True)
class View:
    """What every page starts from."""

    cache: Cache
    model: str | None  # None: the cache has no finished predictions
    stamp: tuple[str, int]  # folder and time of its manifest: the key of everything computed from the cache
    slice: Slice | None = None  # the faces that the pages are about; None: every face

    @property
    def samples(self) -> int:
        """S of the chosen model; 1 means that it has no epistemic part."""
        return self.cache.manifest.models[self.model].samples if self.model else 0

    def within(self, where: Filter = EVERYTHING) -> Filter:
        """A filter, within the chosen slice where there is one."""
        return self.slice.narrowed(self.model, where) if self.slice else where


def open_view(question: str) -> View:
    """The sidebar's choice of cache, model and slice, and the page's head: its question, where the faces come from."""
    through_app()
    arrive()
    found = find_caches()
    if not found:
        st.header(question, anchor=False)
        problems.empty(
            f"No cache in {data_folder()}. Build the small demo cache, or one of all of FER+:",
            problems.DEMO,
            problems.FERPLUS,
        )
    with st.sidebar:
        above = st.container(gap="xxsmall")
        name = select("Cache", found, key="cache", default=default_cache(found), clears=OF_ONE_CACHE)
    try:
        return view_of(found[name], name, question)
    finally:
        with above:
            links()  # now that it is known what of the URL is of use
            st.space("small")


def view_of(folder: Path, name: str, question: str) -> View:
    """The rest of the choice, and the head."""
    cache, stamp = open_cache(folder)
    source = cache.manifest.source
    st.header(question, anchor=False)
    st.caption(" · ".join(filter(None, [plain(source.title or name), f"**{plain(source.note)}**" * bool(source.note)])))
    if cache.manifest.faces == 0:
        problems.empty(
            f"The cache at {cache.folder} has no faces yet. Its build may still be running, or stopped: run it again "
            "and it goes on where it stopped.",
            cache.manifest.command or problems.FERPLUS,
        )
    if not cache.manifest.complete:
        st.caption(
            f":material/hourglass_empty: This build is not finished: {count(cache.manifest.faces, 'face')} so far. "
            f"To go on: `{cache.manifest.command.replace('`', '')}`"
        )
    return View(cache, choose_model(cache), stamp, choose_slice(cache))


def through_app() -> None:
    """Make sure that app.py has run, and not this page's file alone.

    Until app.py has called st.navigation for the first time, Streamlit takes pages/ for its own kind of multipage app.
    The first visitor of a fresh server who follows a link to a page would see it without app.py's layout.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


def links() -> None:
    """To the pages, with the same cache, model and slice."""
    same = kept(("cache", "model", SLICE))
    for page in site().values():
        st.page_link(page, query_params=same, width="stretch")


def choose_model(cache: Cache) -> str | None:
    models = cache.models
    with st.sidebar:
        if not models:
            ignore("model", "this cache holds no finished model")
            st.caption("This cache holds no finished model.")
            return None
        infos = cache.manifest.models
        drawn = (LASSO, WINDOW) if asked(LAYOUT) == [UNCERTAINTIES] else ()
        model = select("Model", models, key="model", default=str(cache.manifest.first_model), clears=("page", *drawn))
        info = infos[model]
        st.caption(f"{plain(info.title)}, {count(info.samples, 'sample')} per face")
        if info.faces is not None:
            st.caption(f"It has scored **{info.faces:,} of {count(cache.manifest.faces, 'face')}**.")
    return model


def need_model(view: View) -> str:
    """The model, or the end of the page with the command that adds one."""
    if view.model is None:
        manifest = view.cache.manifest
        problems.empty(
            f"The cache at {view.cache.folder} has {count(manifest.faces, 'face')} and no model's predictions yet. "
            "Add a model to it:",
            f"python -m engine build {manifest.source.spec or 'SOURCE'} --out {view.cache.folder} "
            "--model compact-ensemble",
            f"python -m engine import-predictions FILE --cache {view.cache.folder} --name NAME",
        )
    return str(view.model)


def open_cache(folder: Path) -> tuple[Cache, tuple[str, int]]:
    """The open cache, shared by all sessions, and its stamp. A rebuilt cache has a new stamp and is opened anew."""
    stamp = stamp_of(folder)
    return _open(*stamp), stamp


@st.cache_resource(max_entries=4, show_spinner=False)
def _open(folder: str, modified: int) -> Cache:
    return Cache(folder, opened(folder, modified))
