"""What no report of this kind can show."""

from pages.report.blocks import Points, Section
from pages.report.subject import Subject

CANNOT = (
    (
        "Why",
        "A gap says that groups get different answers, not what causes it. Faces of two groups also differ in camera, "
        "place, age and in what they express, and adjusting holds equal only what was measured.",
    ),
    (
        "What a person feels",
        "An expression on a face is not a feeling. The model is compared with what annotators saw in a picture, and "
        "annotators may share a prejudice.",
    ),
    (
        "Doubts that all samples share",
        "U_e is the disagreement between versions of one model. A face unlike anything in the training may come out "
        "with a low U_e, and U_a is the model's own guess.",
    ),
    (
        "Exact groups",
        "Groups are image measurements or labels that somebody supplied, never identity. Measurements err, most in "
        "poor light and on turned heads, and a face near an edge may be in the wrong group, which narrows gaps.",
    ),
    ("Small groups", "No gap found among few faces is not a gap ruled out: look at the interval."),
    (
        "Other faces",
        "This is one data set. Intervals say how much another sample of the same source would differ; another camera "
        "or another choice of photos may turn a gap round. Many photos of one person are fewer independent faces than "
        "n says, and the intervals are then too narrow.",
    ),
    (
        "Every test that could be made",
        "Holm's correction counts the groups or the quantities of one table. Among many tables, some p is small by "
        "chance: about one interval in twenty misses.",
    ),
    ("The faces", "Photos of people are personal data, so this report holds none."),
)


def limits(subject: Subject) -> Section:
    note = subject.cache.manifest.source.note
    first = ((note[0].upper() + note[1:], "What holds on these need not hold on photos of people."),) if note else ()
    return Section("limits", "What this report cannot show", (Points((*first, *CANNOT)),))
