"""Do groups of faces get different answers?"""

from pages.widgets.audit import audit_page
from pages.widgets.caches import need_model, open_view
from pages.widgets.filters import choose_filter
from pages.widgets.problems import guard
from pages.widgets.report_button import report_button

with guard():
    view = open_view("Do groups of faces get different answers?")
    need_model(view)
    where = choose_filter(view, default_split="test")
    audit_page(view, where)
    report_button(view)
