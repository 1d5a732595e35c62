// A grid of faces: one tab stop, arrow keys to move, Enter or click to open; where faces can be picked, Space or
// Ctrl-click picks one, Shift-click a stretch, Escape none. Text from the data is only ever set as text or as an
// attribute value, never as HTML.

const drawn = new WeakMap(); // list element -> what it shows, to tell new faces from a mere rerun

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".grid");
  list.open = (id) => setTriggerValue("open", id);
  list.pick = (ids) => {
    mark(list, ids); // at once; the rerun then says the same
    setTriggerValue("pick", ids);
  };
  list.setAttribute("aria-label", data.label);
  list.style.setProperty("--tile", `${data.tile}px`);
  list.style.setProperty("--score", data.colour);
  list.toggleAttribute("data-row", data.layout === "row");
  if (data.layout === "gallery") fitColumns(list, data.items.length);
  if (!drawn.has(list)) listen(list);
  const shows = JSON.stringify(data.items.map(({ id, alt, score, state }) => [id, alt, score, state]));
  if (drawn.get(list) !== shows) {
    drawn.set(list, shows);
    draw(list, data.items);
  }
  mark(list, data.picked);
  if (data.last !== null) returnTo(list, String(data.last));
  else delete list.dataset.returned; // a drawer is open, or none was: its next end counts again
}

// ids: every picked face, also of pages that are not shown; null where faces cannot be picked.
function mark(list, ids) {
  list.picked = ids;
  for (const button of list.querySelectorAll("button")) {
    if (ids) button.setAttribute("aria-pressed", ids.includes(Number(button.dataset.id)));
    else button.removeAttribute("aria-pressed");
  }
  list.toggleAttribute("data-picking", list.querySelector('[aria-pressed="true"]') !== null);
}

function toggle(list, button) {
  const id = Number(button.dataset.id);
  list.anchor = id;
  list.pick(list.picked.includes(id) ? list.picked.filter((other) => other !== id) : [...list.picked, id]);
}

// From the face picked last to this one, as they stand in the list.
function stretch(list, button) {
  const ids = [...list.querySelectorAll("button")].map((b) => Number(b.dataset.id));
  const ends = [Math.max(0, ids.indexOf(list.anchor)), ids.indexOf(Number(button.dataset.id))];
  const run = ids.slice(Math.min(...ends), Math.max(...ends) + 1);
  list.pick([...list.picked, ...run.filter((id) => !list.picked.includes(id))]);
}

function draw(list, items) {
  list.replaceChildren(...items.map(tile));
  const first = list.querySelector("button");
  if (first) first.tabIndex = 0;
}

function tile({ id, image, alt, score, fill, state }) {
  const item = document.createElement("li");
  const button = item.appendChild(document.createElement("button"));
  button.type = "button";
  button.tabIndex = -1;
  button.dataset.id = id;
  button.dataset.state = state;
  button.title = alt;
  const picture = button.appendChild(document.createElement("img"));
  picture.loading = "lazy";
  picture.decoding = "async";
  picture.alt = alt;
  picture.draggable = false;
  if (image) picture.src = image;
  if (state === "wrong") hidden(button, "mark").textContent = "×";
  if (fill !== null) hidden(hidden(button, "bar"), "fill").style.width = `${100 * fill}%`;
  if (score) hidden(button, "score").textContent = score;
  return item;
}

// Decoration and the score repeat what the alt text already says.
function hidden(parent, name) {
  const part = parent.appendChild(document.createElement("span"));
  part.className = name;
  part.setAttribute("aria-hidden", "true");
  return part;
}

function listen(list) {
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    focusOn(list, button);
    if (list.picked && event.shiftKey) stretch(list, button);
    else if (list.picked && (event.ctrlKey || event.metaKey)) toggle(list, button);
    else list.open(Number(button.dataset.id));
  });
  list.addEventListener("keydown", (event) => {
    const buttons = [...list.querySelectorAll("button")];
    const at = buttons.indexOf(event.target.closest("button"));
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (list.picked && event.key === " ") {
      event.preventDefault();
      toggle(list, buttons[at]);
      return;
    }
    if (list.picked?.length && event.key === "Escape") {
      event.stopPropagation();
      list.pick([]);
      return;
    }
    const columns = Math.max(1, buttons.filter((b) => topOf(b) === topOf(buttons[0])).length);
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    const to = { Home: 0, End: buttons.length - 1 }[event.key] ?? at + (steps[event.key] ?? NaN);
    if (Number.isNaN(to)) return;
    event.preventDefault();
    if (buttons[to]) focusOn(list, buttons[to]);
  });
}

const topOf = (element) => Math.round(element.getBoundingClientRect().top);

function focusOn(list, button) {
  for (const other of list.querySelectorAll('button[tabindex="0"]')) other.tabIndex = -1;
  button.tabIndex = 0;
  button.focus();
}

// After the drawer closes, the keyboard goes on from the face that it showed last.
function returnTo(list, id) {
  if (list.dataset.returned === id) return;
  list.dataset.returned = id;
  const button = list.querySelector(`button[data-id="${CSS.escape(id)}"]`);
  if (button) focusOn(list, button);
}

// 12 faces fall into rows of 6, 4 or 3 without a gap; take the most that keep the tiles at their size.
function fitColumns(list, count) {
  list.resize ??= new ResizeObserver(() => list.fit());
  list.fit = () => {
    const room = Math.max(1, Math.floor(list.clientWidth / (parseFloat(list.style.getPropertyValue("--tile")) + 6)));
    const divisors = [...Array(room).keys()].map((i) => i + 1).filter((n) => count % n === 0);
    list.dataset.columns = Math.max(...divisors, Math.min(3, room));
    list.style.setProperty("--columns", list.dataset.columns);
  };
  list.resize.observe(list);
  list.fit();
}
