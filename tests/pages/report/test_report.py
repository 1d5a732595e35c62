"""The report as a whole: what is in it, on caches of every kind, and what must not be."""

import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cache.errors import CacheError
from cache.numbers import numbers
from cache.reader import Cache
from engine.metrics.calibration import calibration_errors
from pages.findings.audit import COLUMNS, audit_faces
from pages.findings.bins import group_by
from pages.findings.overview import split_filter
from pages.report.look import TEMPLATE
from pages.report.report import report, steps
from pages.report.subject import subject_of
from pages.widgets.estimates import cell
from pages.widgets.wording import names
from tests import synthetic
from tests.pages.report.parsed import Report, hash_of

MODEL = "compact-ensemble"
KINDS = ("normal", "no-votes", "single", "several", "no-validation", "one-class", "one-face")
SECTIONS = ["Overview", "Bias audit", "Calibration", "Rejection", "What this report cannot show", "Manifest"]
NAN = re.compile(r"\b(nan|NaN|inf|None|undefined)\b")


def plain(markdown: str) -> str:
    """A cell of a page's table, as text."""
    return markdown.replace("**", "").replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_cache_has_every_section(report_on, kind):
    found = report_on(kind)
    assert found.headings == SECTIONS
    assert "Synthetic" in found.text and "random squares, not faces" in found.text
    assert not NAN.search(found.text), NAN.search(found.text)


def test_contents_lead_to_sections(report_on):
    found = report_on("normal")
    names = [str(a["id"]) for _, a in found.tags if "id" in a]
    assert len(set(names)) == len(names)
    wanted = [str(a["href"])[1:] for a in found.named("a") if str(a["href"]).startswith("#")]
    assert len(wanted) == 8 and set(wanted) <= set(names)


def test_the_head_says_what_it_is_about(report_on):
    found = report_on("normal")
    assert "Model compact-ensemble Faces 60 faces of split test Built 20" in found.text
    assert "Model compact Faces 180 faces Built" in report_on("normal", "compact", "all").text


def test_headline_is_that_of_the_overview_page(report_on, open_page):
    page = open_page("overview", cache="normal", model=MODEL).table[-1].value
    rows = [[plain(str(text)) for text in row] for row in page.itertuples(index=False)]
    assert [row[1:] for row in rows] == list(report_on("normal").table("Every model").values())[1:]


def test_calibration_is_that_of_the_page(report_on, open_page):
    page = open_page("calibration", cache="normal", temperature="both").table[0].value.set_index("")
    found = report_on("normal").table("Calibration errors")
    assert found[""] == [plain(name) for name in page.columns if not name.startswith("compact, T")]
    for name in ("ECE, %", "MCE, %", "SCE, %", "ACE, %", "TACE, %", "Brier score", "n"):
        assert found[name] == [plain(page.loc[name, column]) for column in found[""]]


def test_calibration_is_that_of_the_metric(report_on, caches):
    faces = numbers(Cache(caches / "normal"), MODEL, split_filter("test"), probs=True, votes=True)
    ece = calibration_errors(faces.probs, faces.votes)["ece"]
    assert report_on("normal").table("Calibration errors")["ECE, %"][0] == plain(cell(ece, 2, 100.0))


def test_rejection_is_that_of_the_page(report_on, open_page):
    page = open_page("rejection", cache="normal").table[0].value.set_index("")
    found = report_on("normal").table("What the faces kept are worth")
    for name in ("accuracy (%), 75 % kept", "JSD (nats), all faces", "AURC of the errors"):
        assert found[name] == [plain(str(text)) for text in page.loc[name]]


def test_audit_is_that_of_the_findings(report_on, caches):
    cache = Cache(caches / "several")
    faces = numbers(cache, MODEL, columns=COLUMNS, probs=True, votes=True)
    values = numbers(cache, MODEL, columns=["attr_light"]).columns["attr_light"]
    groups = group_by(values, cache.attributes["attr_light"])
    audit, found = audit_faces(faces, groups, 6), report_on("several", split="all")
    q = audit.quantities.index("accuracy")
    table = found.table("How well it answers, by light")
    gaps = found.table("Gap of accuracy to the rest, points, by light")
    for g, name in enumerate(groups.names):
        value, low, high = (100 * getattr(audit, end)[g, q] for end in ("value", "low", "high"))
        assert table[name][1] == f"{value:.1f} [{low:.1f}, {high:.1f}]"
        gap, low, high = (100 * getattr(audit, end)[g, q] + 0.0 for end in ("gap", "gap_low", "gap_high"))
        assert gaps[name][1] == f"{gap:.1f} [{low:.1f}, {high:.1f}]" and gaps[name][0] == f"{audit.n[g, q]:,}"
    assert gaps[""] == ["n", "raw gap", "p", "Holm's p", "adjusted gap"]
    assert "240 faces of 360 in 2 groups. In none of them: unknown 120." in found.text


def test_figures_carry_words_data_and_the_reports_look(report_on):
    found = report_on("normal")
    plots = [a for a in found.named("div") if a.get("role") == "img"]
    assert len(plots) == len(found.figures) == 8
    assert all(len(str(a["aria-label"])) > 30 for a in plots)
    links = [a for a in found.named("a") if "download" in a]
    assert len(links) == len(plots)
    assert all(re.fullmatch(r"[\w.-]+\.csv", str(a["download"])) for a in links)
    assert all(figure["layout"]["template"] == TEMPLATE for figure in found.figures)


def test_one_sample_and_no_votes_say_what_is_missing(report_on):
    single, voteless = report_on("single").text, report_on("no-votes").text
    assert "No histogram of U_e" in single and "Only 13 faces: too few to trust" in single
    assert "nobody can say where the model is right" in voteless and "gives each class" in voteless
    assert "too few to say what is gained" in voteless
    assert "nothing to be right or wrong about" in report_on("one-class").text


def test_groups_of_few_faces_are_faint_and_untested(report_on):
    found = report_on("normal")
    tone = found.table("How well it answers, by tone")
    assert all("[" not in text for text in tone["1"][1:])
    assert "Fewer than two groups have 30 faces, so no gap is tested." in found.text
    assert "Faint: fewer than 30 faces" in found.text


def test_more_attributes_than_are_shown_are_named(caches, monkeypatch):
    monkeypatch.setattr("pages.report.audit.MOST_SUPPLIED", 1)
    found = Report(report(subject_of(Cache(caches / "normal"))))
    assert "Of the supplied attributes the first 1 are shown, without light." in found.text
    assert "By light" not in found.text and "By tone (Monk)" in found.text


def test_a_sample_is_called_one(caches, monkeypatch):
    monkeypatch.setattr("cache.numbers.MOST_FACES", 100)
    monkeypatch.setattr("cache.numbers.DRAWN", 90)
    found = Report(report(subject_of(Cache(caches / "normal"), split="all")))
    assert found.text.count("From a random sample of 90 of 180 faces.") == 3


def test_measured_attributes_come_first_with_reasons(tmp_path):
    folder = synthetic.write(tmp_path / "c", 120, splits=("test",), parts=1)
    extend(folder, {"attr_ita": lambda i: None if i % 4 == 0 else float(i % 90 - 30),
                    "attr_tone_unknown": lambda i: "grey image" if i % 4 == 0 else None,
                    "attr_head_yaw": lambda i: None, "attr_sharpness": lambda i: 3.0,
                    "attr_contrast": lambda i: float(i)})  # fmt: skip
    found = Report(report(subject_of(Cache(folder))))
    shown = ["attr_ita", "attr_head_yaw", "attr_sharpness", "attr_tone", "attr_light"]
    called = names(Cache(folder).columns("compact"))
    parts = [part.removesuffix(" (Monk)") for part in re.findall(r"<h3>([^<]*)</h3>", found.html)]
    assert parts == [f"By {called[name]}" for name in shown]
    assert "In none of them: grey image 30." in found.text
    assert "Unknown for all 120 faces: unknown 120." in found.text
    assert "All of them are in one group" in found.text
    assert "Not adjusted for sharpness: " in found.text and "Nothing was measured" not in found.text


def test_without_attributes_there_is_a_command(tmp_path):
    folder = synthetic.write(tmp_path / "c", 40)
    drop(folder, ["attr_tone", "attr_light"])
    found = Report(report(subject_of(Cache(folder))))
    assert "The cache has no attributes of its faces" in found.text
    assert "python -m engine build synthetic: --out c --measure" in found.text


def test_nothing_but_its_own_two_scripts_may_run_or_be_fetched(report_on):
    found = report_on("normal")
    running = [text for kind, text in found.scripts if kind is None]
    assert len(running) == 2
    rules = dict(rule.split(" ", 1) for rule in found.policy.split("; "))
    assert rules == {
        "default-src": "'none'",
        "script-src": " ".join(map(hash_of, running)),
        "style-src": "'unsafe-inline'",
        "img-src": "data: blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    addresses = [str(a[name]) for _, a in found.tags for name in ("src", "href") if name in a]
    assert all(address.startswith(("#", "data:text/csv")) for address in addresses)
    assert not {"img", "link", "iframe", "object", "form", "image", "base"} & {tag for tag, _ in found.tags}


def test_it_holds_the_library_once_and_is_small(report_on):
    found = report_on("several")
    assert found.html.count("* plotly.js v") == 1 and len(found.html.encode()) < 10e6


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&<b>{{ 7*7 }}"


def test_names_of_the_data_are_text_and_nothing_else(tmp_path, report_on):
    model = "a\"b' onload=x <b>&amp;{{ 7*7 }}"
    folder = synthetic.write(
        tmp_path / "c", 120, models=(model,), classes=(HOSTILE, "=1+1", "javascript:x"), splits=(HOSTILE,), parts=1
    )
    extend(folder, {"attr_x<script>y": lambda i: (HOSTILE, "<i>b</i>")[i % 2]})
    found = Report(report(subject_of(Cache(folder), split=HOSTILE)))
    ordinary = report_on("normal")
    assert {tag for tag, _ in found.tags} <= {tag for tag, _ in ordinary.tags} | {"code"}
    known = {name for _, attributes in ordinary.tags for name in attributes}
    assert {name for _, attributes in found.tags for name in attributes} <= known
    assert [kind for kind, _ in found.scripts if kind is None] == [None, None]
    assert HOSTILE in found.text and model in found.text
    for figure in found.figures:
        assert "<script" not in str(figure) and "<img" not in str(figure)


def test_no_face_and_no_folder_of_the_machine(report_on, caches):
    found = report_on("normal")
    assert str(caches) not in found.html and "face000000.png" not in found.html
    assert "data:image" not in found.html.replace(found.scripts[-2][1], "")


def test_the_same_cache_gives_the_same_bytes(report_on, caches):
    again = report(subject_of(Cache(caches / "normal")))
    assert again == report_on("normal").html


@pytest.mark.parametrize("kind", ["normal", "one-class", "no-votes"])
def test_steps_are_counted(caches, kind):
    subject, taken = subject_of(Cache(caches / kind)), []
    report(subject, lambda: taken.append(1))
    assert len(taken) == steps(subject)


@pytest.mark.parametrize(
    ("kind", "model", "split", "said"),
    [
        ("normal", "gone", None, "This cache has no model 'gone'. It has: compact, compact-ensemble."),
        (
            "normal",
            None,
            "gone",
            "compact-ensemble has no faces of a split 'gone'. It has: test, train, validation, all.",
        ),
        ("no-models", None, None, "no model's predictions. Add a model: python -m engine build synthetic:"),
        ("empty", None, None, "is not finished. Run it again first: python -m tests.synthetic"),
    ],
)
def test_nothing_to_report_says_what_to_do(caches, kind, model, split, said):
    with pytest.raises(CacheError) as problem:
        subject_of(Cache(caches / kind), model, split)
    assert said in str(problem.value) and "\n" not in str(problem.value)


def extend(folder, columns):
    """Add attributes to the faces of a cache of one part. columns: name -> value of a face's number."""
    part = next((folder / "faces").glob("*.parquet"))
    table = pq.read_table(part)
    for name, value in columns.items():
        values = [value(i) for i in range(table.num_rows)]
        text = any(isinstance(v, str) for v in values)
        table = table.append_column(name, [pa.array(values, "string" if text else "float64")])
    pq.write_table(table, part)


def drop(folder, columns):
    for part in (folder / "faces").glob("*.parquet"):
        pq.write_table(pq.read_table(part).drop_columns(columns), part)
