"""A visitor of the app who speaks to the server as the browser's front end does: protobuf over a WebSocket."""

import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from benchmarks.server import Server

PATIENCE = 60  # s that an answer may take


@dataclass
class Answer:
    """What one run of a page's script sent."""

    seconds: float = 0.0  # from the request to the end of the script
    texts: list[str] = field(default_factory=list)  # what the page says, without the texts inside of figures
    values: dict[str, str] = field(default_factory=dict)  # of the text fields, by key
    problem: str = ""  # what the page says went wrong

    def add(self, element: Any) -> None:
        kind = element.WhichOneof("type")
        found = getattr(element, kind)
        if kind == "exception":
            self.problem = f"{found.type}: {found.message}"
        elif kind == "alert" and found.format == found.ERROR:
            self.problem = found.body
        elif kind in ("markdown", "heading", "metric"):
            self.texts.append(found.body)
            if "Ignored **" in found.body:  # the page could not use what the address asked for
                self.problem = found.body
        elif kind == "text_input":
            self.values[_key(found.id)] = found.value if found.set_value else found.default


class Visitor:
    """One browser tab. Keeps the widgets of the last page, and what was done to them."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._socket = connect(
            server.url.replace("http", "ws") + "/_stcore/stream", subprotocols=[Subprotocol("streamlit")], max_size=None
        )
        self._pages: dict[str, str] = {}  # path -> hash of its script
        self._page, self._query = "", ""
        self._widgets: dict[str, tuple[Any, str]] = {}  # key -> widget, and the fragment that redraws it
        self._states: dict[str, WidgetState] = {}  # id -> what the visitor did to it

    def __enter__(self) -> "Visitor":
        self._channel = self._socket.__enter__()
        self.visit("")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.__exit__(kind, error, trace)

    @property
    def pages(self) -> list[str]:
        """Paths of the app's pages; the first one is ''."""
        return list(self._pages)

    @property
    def keys(self) -> set[str]:
        """Of the widgets that are there."""
        return set(self._widgets)

    def visit(self, page: str, /, **query: object) -> Answer:
        """Go to an address, as by the browser's Back and Forward: the address alone says what is shown."""
        return self._go(page, urlencode(query), history=True)

    def follow(self, page: str, /, **query: object) -> Answer:
        """Click a link to another page."""
        return self._go(page, urlencode(query), history=False)

    def set(self, key: str, value: Any) -> Answer:
        """Use the widget of this key; a widget inside a fragment redraws that fragment alone."""
        widget, fragment = self._widgets[key]
        self._states[widget.id] = _state(widget.id, value)
        answer = self._run(fragment)
        if value is True:  # a button does not stay pressed
            del self._states[widget.id]
        return answer

    def options(self, key: str) -> list[str]:
        """What can be chosen in a select box."""
        return list(self._widgets[key][0].options)

    def _go(self, page: str, query: str, *, history: bool) -> Answer:
        self._page, self._query, self._widgets, self._states = page, query, {}, {}
        return self._run(history=history)

    def _run(self, fragment: str = "", *, history: bool = False) -> Answer:
        state = ClientState(
            query_string=self._query,
            page_script_hash=self._pages.get(self._page, ""),
            fragment_id=fragment,
            is_history_navigation=history,
        )
        state.widget_states.widgets.extend(self._states.values())
        state.context_info.url = f"{self._server.url}/{self._page}"
        answer, start = Answer(), time.monotonic()
        self._channel.send(BackMsg(rerun_script=state).SerializeToString())
        while not self._receive(answer):
            pass
        answer.seconds = time.monotonic() - start
        return answer

    def _receive(self, answer: Answer) -> bool:
        """Take one message; whether it was the last one of this run."""
        message = ForwardMsg.FromString(self._channel.recv(timeout=PATIENCE))
        kind = message.WhichOneof("type")
        if kind == "script_finished":
            return bool(message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN)
        if kind == "navigation":
            self._pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
        if kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        if kind == "delta":
            self._look(message, answer)
        return False

    def _look(self, message: ForwardMsg, answer: Answer) -> None:
        """Keep what the page says, and its widgets; some are containers, such as an expander."""
        kind = message.delta.WhichOneof("type")
        if kind not in ("new_element", "add_block"):
            return
        found: Any = getattr(message.delta, kind)
        if kind == "new_element":
            answer.add(found)
        inner: Any = getattr(found, found.WhichOneof("type") or "", None)
        if getattr(inner, "id", ""):
            self._widgets[_key(inner.id)] = (inner, message.delta.fragment_id)


def _key(name: str) -> str:
    """'sort' of '$$ID-0123-sort'."""
    return name.split("-", 2)[-1]


def _state(name: str, value: Any) -> WidgetState:
    """A text chooses or types, a list chooses several, a number moves a slider; True presses a button."""
    if value is True:
        return WidgetState(id=name, trigger_value=True)
    if isinstance(value, int):
        return WidgetState(id=name, int_value=value)
    if isinstance(value, str):
        return WidgetState(id=name, string_value=value)
    state = WidgetState(id=name)
    numbers = all(isinstance(part, float) for part in value)
    (state.double_array_value if numbers and value else state.string_array_value).data.extend(value)
    return state
