// The face under the pointer. The figure belongs to another element and is drawn anew now and then, so that it is looked
// up at each move. Text from the data is only ever set as text or as an attribute value, never as HTML.

const REST = 60; // ms without a move that count as resting
const REACH = 9; // px around the pointer in which a face counts as meant
const STEP = 3; // px: places that close share an answer
const MOST = 2000; // answers kept

const watched = new WeakMap(); // card -> what is known of it

export default function ({ data, parentElement, setTriggerValue }) {
  const card = parentElement.querySelector(".card");
  const known = watched.get(card) ?? watch(card);
  known.figure = data.figure;
  known.send = setTriggerValue;
  if (known.shows !== data.shows) {
    known.shows = data.shows;
    known.answers.clear();
    hide(card);
  }
  if (data.answers !== null && known.asked.has(data.answers)) {
    remember(known, known.asked.get(data.answers), data.card);
    known.asked.clear();
    if (known.place !== null) show(card, known);
  }
  return () => {
    known.stop.abort();
    watched.delete(card);
    hide(card);
  };
}

function watch(card) {
  const known = {
    figure: "", send: () => {}, shows: null, stop: new AbortController(),
    answers: new Map(), // place -> card or null
    asked: new Map(), // number of the question -> place
    question: 0, place: null, pointer: null, timer: 0, pressed: null,
    armed: null, // the figure, as it was last drawn, whose lasso or box was asked for by touch
  };
  watched.set(card, known);
  const options = { capture: true, passive: true, signal: known.stop.signal };
  addEventListener("pointermove", (event) => moved(card, known, event), options);
  addEventListener("pointerdown", (event) => pressed(card, known, event), options);
  addEventListener("pointerup", (event) => released(card, known, event), options);
  addEventListener("touchstart", (event) => touched(known, event), options);
  addEventListener("scroll", () => leave(card, known), options);
  document.documentElement.addEventListener("pointerleave", () => leave(card, known), options);
  return known;
}

function moved(card, known, event) {
  const spot = event.buttons === 0 && event.pointerType !== "touch" ? spotUnder(known, event) : null;
  clearTimeout(known.timer);
  if (spot === null) return leave(card, known);
  known.pointer = event;
  if (known.place !== spot.place) {
    known.place = spot.place;
    if (known.answers.has(spot.place)) show(card, known);
    else known.timer = setTimeout(() => ask(known, spot), REST);
  }
  put(card, known);
}

function ask(known, spot) {
  known.question += 1;
  known.asked.set(known.question, spot.place);
  known.send("rest", { ...spot.at, question: known.question });
}

function leave(card, known) {
  clearTimeout(known.timer);
  known.place = null;
  hide(card);
}

// A press that ends where it began is a click; any other one draws.
function pressed(card, known, event) {
  leave(card, known);
  if (event.target.closest?.(".modebar-btn[data-attr=dragmode]")) known.armed = graphOf(known);
  const spot = event.button === 0 && event.isPrimary ? spotUnder(known, event) : null;
  known.pressed = spot && { x: event.clientX, y: event.clientY, spot };
}

function released(card, known, event) {
  const began = known.pressed;
  known.pressed = null;
  if (!began || Math.hypot(event.clientX - began.x, event.clientY - began.y) > 4) return;
  known.question += 1;
  known.send("press", { ...began.spot.at, question: known.question });
}

// A finger that moves over the figure scrolls the page, until the lasso or the box is chosen above it.
function touched(known, event) {
  const graph = graphOf(known);
  const drawing = known.armed !== null && known.armed === graph;
  if (!drawing && graph?.querySelector(".draglayer")?.contains(event.target)) event.stopPropagation();
}

function graphOf(known) {
  return document.querySelector(`.st-key-figure-${CSS.escape(known.figure)} .js-plotly-plot`);
}

// Where on the axes the pointer is; null outside the panel and on the figure's own buttons.
function spotUnder(known, event) {
  const graph = graphOf(known);
  const { xaxis, yaxis } = graph?._fullLayout ?? {};
  if (!xaxis?.p2d || !graph.contains(event.target) || event.target.closest(".modebar, .legend")) return null;
  const { left, top } = graph.getBoundingClientRect();
  const x = event.clientX - left - xaxis._offset;
  const y = event.clientY - top - yaxis._offset;
  if (x < 0 || y < 0 || x > xaxis._length || y > yaxis._length) return null;
  const at = {
    x: xaxis.p2d(x),
    y: yaxis.p2d(y),
    reach_x: Math.abs(xaxis.p2d(REACH) - xaxis.p2d(0)),
    reach_y: Math.abs(yaxis.p2d(REACH) - yaxis.p2d(0)),
  };
  // With the size of the panel and what it shows, so that neither zooming nor turning a phone brings up another face.
  const panel = [xaxis._length, yaxis._length, ...xaxis.range, ...yaxis.range];
  return { at, place: [Math.round(x / STEP), Math.round(y / STEP), ...panel].join() };
}

function remember(known, place, answer) {
  known.answers.set(place, answer);
  if (known.answers.size > MOST) known.answers.delete(known.answers.keys().next().value);
}

function show(card, known) {
  const face = known.answers.get(known.place);
  if (!face) return hide(card);
  const image = card.querySelector("img");
  if (face.image) image.src = face.image;
  else image.removeAttribute("src");
  card.dataset.state = face.state;
  card.dataset.id = face.id;
  card.querySelector(".lines").replaceChildren(...face.lines.map(line));
  if (!card.matches(":popover-open")) card.showPopover();
  put(card, known);
}

function line(text) {
  const part = document.createElement("div");
  part.textContent = text;
  return part;
}

function hide(card) {
  if (card.isConnected && card.matches(":popover-open")) card.hidePopover();
}

// Beside the pointer, on the side that has room.
function put(card, known) {
  if (!card.matches(":popover-open") || !known.pointer) return;
  const { clientX, clientY } = known.pointer;
  const { width, height } = card.getBoundingClientRect();
  const right = clientX + 18 + width < innerWidth;
  card.style.left = `${right ? clientX + 18 : clientX - 18 - width}px`;
  card.style.top = `${Math.max(4, Math.min(clientY - height / 2, innerHeight - height - 4))}px`;
}
