"""Which map of the faces is shown, and what it may be read for."""

from collections.abc import Mapping
from dataclasses import dataclass

from cache.manifest import LayoutInfo
from cache.store import PLANE
from pages.widgets.address import asked, ignore
from pages.widgets.bound import select
from pages.widgets.caches import View
from pages.widgets.map_address import LASSO, LAYOUT, UNCERTAINTIES, WINDOW
from pages.widgets.problems import empty
from pages.widgets.wording import count, plain


@dataclass(frozen=True)
class Layout:
    """One of the maps on offer."""

    name: str  # in the cache, and of a Region
    title: str  # on the page and in the URL
    info: LayoutInfo | None  # None: the plane of the two uncertainties, which needs no map to be made

    @property
    def axes(self) -> tuple[str, str]:
        if self.info is None:
            return "aleatoric U_a (nats)", "epistemic U_e (nats)"
        method = self.info.method.upper()
        return f"{method} 1 (no unit)", f"{method} 2 (no unit)"


def choose_layout(view: View) -> Layout:
    """The map that the URL names, or the one that says most about the chosen model; ends the page without any."""
    found = offered(view)
    if not found:
        empty(
            f"The cache at {view.cache.folder} holds no map of its faces yet, and no model with several samples, whose "
            "uncertainties would make one. Make a map:",
            embed_command(view),
        )
    if (asked(LAYOUT) or [*found])[-1] not in found:
        for drawn in (LASSO, WINDOW):
            ignore(drawn, "it belongs to a map that is not here")
    title = select("Map", found, key=LAYOUT, default=default(view, found), clears=(LASSO, WINDOW, "page"), width=300)
    return found[title]


def offered(view: View) -> dict[str, Layout]:
    """By title."""
    infos = view.cache.manifest.layouts
    titles = [f"{infos[name].method.upper()} of {infos[name].space}" for name in view.cache.layouts]
    found: dict[str, Layout] = {}
    for name, title in zip(view.cache.layouts, titles, strict=True):
        title = title if titles.count(title) == 1 else name
        found[title] = Layout(name, title, infos[name])
    if view.samples > 1:
        found[UNCERTAINTIES] = Layout(f"{PLANE}{view.model}", UNCERTAINTIES, None)
    return found


def default(view: View, found: Mapping[str, Layout]) -> str:
    """The UMAP of what the model sees, or its PCA, or a map of what it answers, or any, a UMAP first."""
    own = view.cache.manifest.models[view.model].backbones[:1] if view.model else ()
    wanted = [(method, space) for space in (*own, view.model) for method in ("umap", "pca")]
    made = {(layout.info.method, layout.info.space): title for title, layout in found.items() if layout.info}
    umaps = (title for (method, _), title in made.items() if method == "umap")
    return next((made[pair] for pair in wanted if pair in made), next(umaps, next(iter(found))))


def embed_command(view: View) -> str:
    return f"python -m engine embed {view.cache.folder}"


def about(view: View, layout: Layout) -> str:
    """How the map was made, and how not to read it."""
    info, faces = layout.info, view.cache.manifest.faces
    if info is None:
        return "Each face stands at its own two uncertainties: here a place is a value, in nats."
    space = plain(info.space)
    of = f"the class probabilities of {space}" if info.space in view.cache.manifest.models else f"features of {space}"
    fitted = f"fitted on {info.fitted:,} of {count(faces, 'face')}" + (
        "; the others were placed on it afterwards" if info.fitted < faces else ""
    )
    if info.method == "pca":
        share = sum(info.settings.get("explained", ()))  # of the variance, along each axis
        return (
            f"PCA, {fitted}: the two directions in which {of} vary most"
            f"{f', with {share:.0%} of their variance' if share else ''}. Faces that stand apart differ; faces that "
            "stand together may differ in a direction that is not drawn."
        )
    return (
        f"{plain(info.method.upper())} of {of}, {fitted}. Faces that stand together are alike to the network. How far "
        "apart groups of faces lie, how large they are and what is up or left mean little."
    )
