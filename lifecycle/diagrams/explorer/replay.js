"use strict";
// The second view: a recorded run, stepped through call by call.

class Replay {
  constructor(roles, run) {
    this.roles = roles;
    this.picture = new Picture(byId("replay-picture"), () => {});
    byId("run").addEventListener("change", () => this.load(byId("run").files[0]));
    byId("first").addEventListener("click", () => this.go(0));
    byId("back").addEventListener("click", () => this.go(this.at - 1));
    byId("next").addEventListener("click", () => this.go(this.at + 1));
    byId("last").addEventListener("click", () => this.go(this.records.length - 1));
    byId("at").addEventListener("input", () => this.go(Number(byId("at").value)));
    this.records = [];
    this.at = 0;
    if (run.length) this.play(run);
  }

  async load(file) {
    if (!file) return;
    byId("run-error").textContent = "";
    try {
      this.play(readRun(await file.text()));
    } catch (error) {
      byId("run-error").textContent = `${file.name}: ${error.message}`;
    }
  }

  play(records) {
    this.records = records;
    byId("player").hidden = false;
    byId("at").max = records.length - 1;
    const start = records[0].began;
    byId("events").replaceChildren(
      ...records.map((record, number) => {
        const text = `${((record.began - start) * 1000).toFixed(2)} ms  ${record.subject}: ${this.written(record)}`;
        const kind = record.outcome === "illegal" ? "illegal" : "";
        return element("li", {}, element("button", { class: kind, click: () => this.go(number) }, text));
      }),
    );
    this.go(0);
  }

  written(record) {
    const given = record.arguments.split(", ").filter((each) => each !== "None" && !each.endsWith("=None"));
    const outcome = record.outcome === "ok" ? "" : ` [${record.outcome === null ? "no outcome" : record.outcome}]`;
    const next = record.next_state && record.next_state !== record.state ? ` \u2192 ${record.next_state}` : "";
    return `${record.call}(${given.join(", ")})${record.ended === null ? " still runs" : outcome}${next}`;
  }

  go(to) {
    if (!this.records.length) return;
    this.at = Math.max(0, Math.min(to, this.records.length - 1));
    byId("at").value = this.at;
    byId("count").textContent = `${this.at + 1} of ${this.records.length}`;
    byId("first").disabled = byId("back").disabled = this.at === 0;
    byId("last").disabled = byId("next").disabled = this.at === this.records.length - 1;
    const now = this.records[this.at];
    byId("step").textContent = now.error ? now.error : `${now.subject} made ${this.written(now)}.`;
    byId("step").className = now.error ? "bad" : "";
    [...byId("events").children].forEach((item, number) => {
      item.firstChild.setAttribute("aria-current", String(number === this.at));
      item.firstChild.classList.toggle("later", number > this.at);
      if (number === this.at) showInside(byId("events"), item);
    });
    this.showObjects(now);
    this.showPicture(now);
  }

  showObjects(now) {
    const states = new Map();
    for (const record of this.records.slice(0, this.at + 1)) states.set(record.subject, record.next_state || record.state);
    byId("objects").replaceChildren(
      ...[...states].map(([subject, state]) =>
        element("li", { class: subject === now.subject ? "now" : "" }, `${subject}: `, element("strong", {}, state)),
      ),
    );
  }

  /** The picture of the present object's role, with the path that the object took so far. */
  showPicture(now) {
    const role = this.roles.find((each) => each.name === now.role);
    const present = now.next_state || now.state;
    byId("replay-picture").hidden = !role || !role.states.some((state) => state.name === present);
    if (byId("replay-picture").hidden) return;
    const path = this.records
      .slice(0, this.at + 1)
      .filter((record) => record.subject === now.subject && record.next_state)
      .map((record) => ({ state: record.state, call: record.call, outcome: record.outcome, next: record.next_state }));
    this.picture.show(role, present, path);
  }

  key(event) {
    const steps = { ArrowRight: this.at + 1, ArrowLeft: this.at - 1, Home: 0, End: this.records.length - 1 };
    if (!Object.hasOwn(steps, event.key)) return false;
    this.go(steps[event.key]);
    return true;
  }
}

const REQUIRED = { role: "string", subject: "string", state: "string", call: "string", began: "number" };
const OPTIONAL = { arguments: "string", error: "string", ended: "number", outcome: "string", next_state: "string" };
const ABSENT = { arguments: "", error: "", ended: null, outcome: null, next_state: null };

/** The records of a journal's lines, in order of their begins; the error for any other line has its number. */
function readRun(text) {
  const records = [];
  text.split(/\r?\n/).forEach((line, number) => {
    if (!line.trim()) return;
    let record;
    try {
      record = JSON.parse(line);
    } catch {
      throw new Error(`line ${number + 1} is not JSON`);
    }
    for (const [field, kind] of Object.entries(REQUIRED)) {
      if (!record || typeof record[field] !== kind) throw new Error(`line ${number + 1} has no ${field}: it is not a record of a journal`);
    }
    for (const [field, kind] of Object.entries(OPTIONAL)) {
      const value = record[field] ?? ABSENT[field];
      if (value !== ABSENT[field] && typeof value !== kind) throw new Error(`line ${number + 1}: its ${field} is not a ${kind}`);
      record[field] = value;
    }
    records.push(record);
  });
  if (!records.length) throw new Error("it has no record of a call");
  return records.sort((one, other) => one.began - other.began);
}

/** Scrolls a list, and nothing else, so that an item is seen. */
function showInside(list, item) {
  const frame = list.getBoundingClientRect();
  const box = item.getBoundingClientRect();
  if (box.top < frame.top) list.scrollTop += box.top - frame.top;
  if (box.bottom > frame.bottom) list.scrollTop += box.bottom - frame.bottom;
}
