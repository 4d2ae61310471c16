"use strict";
// Making elements of the page; a role as data, and its picture.

const byId = (id) => document.getElementById(id);

/** An element: its tag, its attributes (functions are listeners), and what is in it. Text is never read as markup. */
function element(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== false && value !== undefined && value !== null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...inside);
  return made;
}

/** Whether a key was pressed for the page, and not for a field of it or with a modifier. */
function isForThePage(event) {
  return !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input, select, textarea");
}

class Role {
  constructor(data) {
    Object.assign(this, data);
  }

  /** A name as it is shown. */
  show(name) {
    return Object.hasOwn(this.visible, name) ? this.visible[name] : name;
  }

  /** outcome -> next state, or undefined where the call is refused. */
  row(state, call) {
    return Object.hasOwn(this.table[state], call) ? this.table[state][call] : undefined;
  }

  isFinal(state) {
    return this.final.includes(state);
  }

  docOf(state) {
    return this.states.find((each) => each.name === state).doc;
  }

  /** The call of this name, or the one that a call of another role fires, as in "server.accept". */
  call(name) {
    return this.calls.find((each) => each.name === name) || this.calls.find((each) => each.fired_by === name);
  }

  /** The ids of the edges that stand for a step. */
  edgesOf(step) {
    return this.edges
      .filter(([state, call, outcome]) => state === step.state && call === step.call && outcome === step.outcome)
      .map((edge) => edge[4]);
  }

  /** Steps along the given calls from a state to one where `goal` is legal, or null. */
  walk(state, remedy, goal) {
    if (!remedy.length) return this.row(state, goal) ? [] : null;
    const call = this.call(remedy[0]).name;
    for (const [outcome, next] of Object.entries(this.row(state, call) || {})) {
      if (this.kinds[outcome] !== "success" && this.kinds[outcome] !== "waiting") continue;
      const rest = this.walk(next, remedy.slice(1), goal);
      if (rest) return [{ state, call, outcome, next }, ...rest];
    }
    return null;
  }
}

/** Draws a role into `place` and marks on it where an object is and how it came there. */
class Picture {
  constructor(place, onState, onEdge = () => {}) {
    this.place = place;
    this.onState = onState;
    this.onEdge = onEdge;
    this.role = null;
    this.zoom = 1;
    const factors = { "\u2212": 1 / 1.25, "+": 1.25, Fit: 0 };
    const labels = { "\u2212": "Smaller", "+": "Larger", Fit: "Fit the frame" };
    const buttons = Object.entries(factors).map(([text, factor]) =>
      element("button", { "aria-label": labels[text], title: labels[text], click: () => this.scale(factor) }, text),
    );
    document.querySelector(`[data-for="${place.id}"]`)?.append(...buttons);
    let from = null; // a drag moves the picture
    place.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse") from = [event.clientX + place.scrollLeft, event.clientY + place.scrollTop];
    });
    place.addEventListener("pointermove", (event) => {
      if (from && event.buttons) [place.scrollLeft, place.scrollTop] = [from[0] - event.clientX, from[1] - event.clientY];
      else from = null;
    });
  }

  scale(factor) {
    this.zoom = factor ? Math.min(Math.max(this.zoom * factor, 0.3), 6) : 1;
    this.place.style.setProperty("--zoom", this.zoom);
    this.place.classList.toggle("zoomed", this.zoom !== 1);
  }

  show(role, present, path) {
    if (role !== this.role) this.draw(role);
    const visited = new Set(path.flatMap((step) => [step.state, step.next]));
    for (const [name, node] of this.nodes) {
      node.classList.toggle("present", name === present);
      node.classList.toggle("visited", name !== present && visited.has(name));
    }
    const taken = new Set(path.flatMap((step) => role.edgesOf(step)));
    const newest = path.length ? role.edgesOf(path[path.length - 1]) : [];
    for (const edge of this.place.querySelectorAll(".edge")) {
      edge.classList.toggle("taken", taken.has(edge.id));
      edge.classList.toggle("newest", newest.includes(edge.id));
      edge.classList.toggle("possible", role.edges.some(([state, , , , id]) => state === present && id === edge.id));
    }
    this.centre(this.nodes.get(present));
  }

  draw(role) {
    this.role = role;
    this.nodes = new Map();
    if (role.picture) {
      this.place.innerHTML = role.picture;
      for (const title of this.place.querySelectorAll("title")) title.remove();
      for (const link of this.place.querySelectorAll("a")) link.replaceWith(...link.childNodes);
      for (const [name, id] of Object.entries(role.nodes)) {
        const node = this.place.querySelector(`#${id}`);
        node.append(svgTitle(role.docOf(name)));
        node.addEventListener("click", () => this.onState(name));
        this.nodes.set(name, node);
      }
      for (const edge of this.place.querySelectorAll(".edge")) edge.addEventListener("click", () => this.onEdge(edge.id));
      return;
    }
    const list = element("div", { class: "states" });
    for (const { name, doc } of role.states) {
      const node = element("button", { title: doc, click: () => this.onState(name) }, role.show(name));
      this.nodes.set(name, node);
      list.append(node);
    }
    this.place.replaceChildren(list);
  }

  /** Scrolls the picture, and nothing else, so that a state is in its middle. */
  centre(node) {
    const frame = this.place.getBoundingClientRect();
    const box = node.getBoundingClientRect();
    this.place.scrollLeft += box.left + box.width / 2 - frame.left - frame.width / 2;
    this.place.scrollTop += box.top + box.height / 2 - frame.top - frame.height / 2;
  }
}

function svgTitle(text) {
  const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
  title.textContent = text;
  return title;
}
