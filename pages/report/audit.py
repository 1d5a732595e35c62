"""The bias audit: for each attribute of the faces, what each group gets and how far that is from the rest."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from cache.numbers import Numbers
from pages.findings.attributes import MEASURED, POSE, REASONS, TONE, offered
from pages.findings.audit import COLUMNS, reasons
from pages.findings.bins import Grouping, group_by
from pages.findings.probe import FEW_PEOPLE, is_probe
from pages.report.audit_groups import compared
from pages.report.blocks import Block, Command, Section, Text
from pages.report.calibration import ONE_CLASS
from pages.report.paths import without_folders
from pages.report.subject import Subject, few, sampled
from pages.widgets.wording import count, names

NAME, TITLE = "audit", "Bias audit"
SHOWN = ("attr_ita", "attr_head_yaw", "attr_brightness", "attr_sharpness", "attr_face_size")  # of what is measured
MOST_SUPPLIED = 6  # of the attributes that came with the data or from a user
FACTORS = {"attr_tone", "attr_yaw", "attr_light", "attr_expression", "attr_hair"}  # of the probe's own, those of use
FOUND = ("attr_box_left", "attr_box_top", "attr_box_side", "attr_detection")  # where in its photo a face was found
GROUPS_ARE = (
    "Groups are image measurements or labels supplied with the data, never inferred identity. Every group is compared "
    "with the rest: all other faces that are in a group."
)


@dataclass(frozen=True)
class Faces:
    """What the audit needs of the report's faces, read once."""

    subject: Subject

    @cached_property
    def columns(self) -> list[str]:
        """Attributes that faces can be grouped by, and held equal by."""
        known = self.subject.cache.columns(self.subject.model)
        return [name for name in offered(known) if name in self.subject.cache.attributes]

    @cached_property
    def shown(self) -> list[str]:
        """Those with a section of their own."""
        if len(self.subject.cache.classes) == 1:
            return []
        return [n for n in self.columns if n in SHOWN] + self.supplied[:MOST_SUPPLIED]

    @cached_property
    def supplied(self) -> list[str]:
        """Those that came from a user, and then those that came with the data."""
        return [name for name in self.given if self.tells_apart(name)]

    @cached_property
    def given(self) -> list[str]:
        """The same, with those that are alike, unknown or different for all faces."""
        own = self.subject.cache.attribute_tables["faces"]
        design = set(own) - FACTORS if is_probe(own) else set()  # numbers of renderings, shapes of heads
        given = [name for name in self.columns if name not in (*MEASURED, *FOUND) and name not in design]
        return sorted(given, key=lambda name: name in own)

    def tells_apart(self, name: str) -> bool:
        """Whether there are two groups, and not one per face."""
        sizes = self.grouped(name).sizes
        return len(sizes) > 1 and int(sizes.max()) > 1

    @cached_property
    def answers(self) -> Numbers:
        voted = self.subject.voted
        return self.subject.numbers(COLUMNS, probs=voted, votes=voted)

    @cached_property
    def values(self) -> dict[str, np.ndarray]:
        why = [name for name in (TONE, POSE) if name in self.subject.cache.attributes]
        return self.subject.numbers((*self.columns, *why)).columns

    def called(self, name: str) -> str:
        """Its name, with the unit."""
        columns = self.subject.cache.columns(self.subject.model)
        unit = columns[name].unit
        return names(columns)[name] + (f" ({unit})" if unit else "")

    def grouped(self, name: str) -> Grouping:
        return group_by(self.values[name], self.subject.cache.attributes[name], self.subject.cache.classes)

    def why_unknown(self, name: str, groups: Grouping) -> str:
        """'grey image 12, no landmarks 3'"""
        known = {name: self.values[REASONS[name]]} if REASONS.get(name) in self.values else {}
        return ", ".join(f"{reason} {faces:,}" for reason, faces in reasons(groups, known).items())


def introduction(faces: Faces) -> tuple[Block, ...]:
    """What is audited, and what is missing."""
    subject = faces.subject
    if len(subject.cache.classes) == 1:
        return (Text(ONE_CLASS),)
    said: list[Block] = [Text(GROUPS_ARE), *few(subject.n), *sampled(faces.answers)] if faces.columns else []
    if is_probe(subject.cache.attributes):
        said.append(Text(FEW_PEOPLE))
    if rest := faces.supplied[MOST_SUPPLIED:]:
        more = ", ".join(map(faces.called, rest))
        said.append(Text(f"Of the supplied attributes the first {MOST_SUPPLIED} are shown, without {more}.", "note"))
    if silent := [name for name in faces.given if name not in faces.supplied]:
        said.append(Text(f"They make no groups and are not shown: {', '.join(map(faces.called, silent))}.", "note"))
    if not any(name in MEASURED for name in faces.columns):
        nothing = "Nothing was measured on these faces" if faces.columns else "The cache has no attributes of its faces"
        source = without_folders(subject.cache.manifest.source.spec) or "SOURCE"
        folder = without_folders(str(subject.cache.folder))
        said.append(Text(f"{nothing}. This measures skin tone, head pose, light, sharpness and size:"))
        said.append(Command(f"python -m engine build {source} --out {folder} --measure"))
    return tuple(said)


def audited(faces: Faces, name: str) -> Section:
    """One attribute."""
    by, groups = faces.called(name), faces.grouped(name)
    return Section(f"audit-{faces.shown.index(name) + 1}", f"By {by}", tuple(_blocks(faces, name, by, groups)))


def _blocks(faces: Faces, name: str, by: str, groups: Grouping) -> list[Block]:
    n, inside = len(groups.index), int((groups.index >= 0).sum())
    why = faces.why_unknown(name, groups)
    if not groups.names:
        return [Text(f"Unknown for all {count(n, 'face')}: {why}.")]
    of = "" if inside == n else f" of {n:,}"
    said = [f"{count(inside, 'face')}{of} in {count(len(groups.names), 'group')}."]
    if inside < n:
        said.append(f"In none of them: {why}.")
    if groups.empty:
        said.append(f"No face is in: {', '.join(groups.empty)}.")
    if len(groups.names) < 2:
        said.append(f"All of them are in one group, {groups.names[0]}, so there is nothing to compare it with.")
        return [Text(" ".join(said))]
    beside = {n: values for n, values in faces.values.items() if n in faces.columns and pd.notna(values).any()}
    return [Text(" ".join(said)), *compared(faces.subject, faces.answers, groups, name, by, beside, faces.called)]
