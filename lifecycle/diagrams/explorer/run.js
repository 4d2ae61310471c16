"use strict";
// The second view: a recorded run. One cursor moves through the list, the chart beside it, and the states of all objects.
// Only the rows in sight are in the page, so that a long run is as quick as a short one.

const ROW = 24; // pixels of a row, as in the style sheet
const LANE = 150; // pixels of a lane of the chart
const MOST_LANES = 12; // with more objects, a new one takes the lane of one that has ended
const MOST_OBJECTS = 200; // whose states are shown at once
const PLAY_EVERY = 350; // milliseconds

class Run {
  constructor(roles, data) {
    this.roles = new Map(roles.map((role) => [role.name, role]));
    this.sources = data.sources;
    this.findings = data.findings;
    this.pictures = ["replay-picture", "peer-picture"].map((id) => new Picture(byId(id), () => {}));
    this.records = [];
    this.rows = [];
    this.at = 0;
    this.timer = null;
    const click = (id, act) => byId(id).addEventListener("click", act);
    click("first", () => this.go(0));
    click("back", () => this.go(this.at - 1));
    click("next", () => this.go(this.at + 1));
    click("last", () => this.go(this.rows.length - 1));
    click("play", () => this.play());
    click("full", () => (document.fullscreenElement ? document.exitFullscreen() : byId("replay").requestFullscreen()));
    click("charted", () => this.toggleChart());
    click("copy-python", () => this.copy(asPython(this.path(), this.role(this.now))));
    click("copy-test", () => this.copy(asTest(this.path(), this.role(this.now))));
    byId("run").addEventListener("change", () => this.load(byId("run").files[0]));
    byId("at").addEventListener("input", () => this.go(Number(byId("at").value)));
    byId("list").addEventListener("scroll", () => this.drawRows(), { passive: true });
    for (const id of ["find", "only-object", "only-thread", "only-bad"]) byId(id).addEventListener("input", () => this.filter());
    new ResizeObserver(() => this.drawRows()).observe(byId("list"));
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files.length) this.load(event.dataTransfer.files[0]);
    });
    if (data.run.length) this.show(data.run);
    if (data.live) this.listen(data.live);
  }

  async load(file) {
    if (!file) return;
    byId("run-error").textContent = "";
    try {
      const records = readRun(await file.text());
      this.findings = [];
      this.show(records);
      view("replay");
    } catch (error) {
      byId("run-error").textContent = `${file.name}: ${error.message}`;
    }
  }

  /** Takes what the program sends while it runs; the cursor stays at the end until somebody moves it. */
  listen(address) {
    const source = new EventSource(address);
    let waiting = [];
    const take = () => {
      const begun = performance.now();
      this.show(this.records.concat(waiting.splice(0)), this.at >= this.rows.length - 1);
      pause = Math.max(200, 5 * (performance.now() - begun)); // a long run is drawn anew less often
    };
    let pause = 200;
    source.onmessage = (event) => {
      if (!waiting.length) setTimeout(take, pause);
      for (const record of JSON.parse(event.data)) {
        this.sources[`${record.file}:${record.line}`] = record.source;
        waiting.push(complete(record));
      }
    };
    source.addEventListener("found", (event) => {
      this.findings = this.findings.concat(JSON.parse(event.data));
      this.show(this.records, false);
    });
    source.addEventListener("end", (event) => {
      source.close();
      byId("live").textContent = event.data;
    });
    source.onerror = () => {
      source.close();
      byId("live").textContent = "The connection to the program has ended.";
    };
    byId("live").textContent = "Live: calls appear as the program makes them.";
  }

  show(records, atEnd = false) {
    const kept = this.now && this.records.length <= records.length ? this.now : null;
    this.records = records.sort((one, other) => one.began - other.began);
    byId("player").hidden = !records.length;
    this.bySubject = new Map();
    records.forEach((record, number) => {
      record.number = number;
      if (!this.bySubject.has(record.subject)) this.bySubject.set(record.subject, []);
      this.bySubject.get(record.subject).push(record);
    });
    this.peers = pairs(this.bySubject, this.roles);
    this.mark();
    choices("only-object", "all objects", this.bySubject.keys());
    choices("only-thread", "all threads", new Set(records.map((record) => record.thread)));
    this.filter(atEnd ? records[records.length - 1] : kept);
  }

  /** Which records are refusals, failures, or what a finding is about. */
  mark() {
    for (const record of this.records) record.tone = this.tone(record);
    const places = new Map();
    for (const record of this.records) places.set(`${record.subject}\n${record.call}\n${record.file}\n${record.line}`, record);
    const items = this.findings.map((finding) => {
      const record = places.get(`${finding.socket}\n${finding.call}\n${finding.file}\n${finding.line}`) || this.bySubject.get(finding.socket)?.at(-1);
      if (record) record.finding = finding.text;
      const times = finding.count > 1 ? ` (${finding.count} times)` : "";
      return element("li", {}, element("button", { disabled: !record, click: () => this.find(record) }, finding.text.split("\n")[0] + times));
    });
    byId("findings").hidden = !items.length;
    byId("findings-count").textContent = items.length;
    byId("findings-list").replaceChildren(...items);
  }

  tone(record) {
    if (record.outcome === "illegal") return "illegal";
    if (record.ended === null) return "running";
    if (record.outcome === null && record.error) return "failed";
    const kind = this.role(record)?.kinds[record.outcome];
    return kind === "failure" || (kind === undefined && ["broken", "failed", "refused"].includes(record.outcome)) ? "failed" : "done";
  }

  role(record) {
    return this.roles.get(record.role);
  }

  get now() {
    return this.rows[this.at];
  }

  /** The records that led the present object here. */
  path(subject = this.now.subject) {
    return (this.bySubject.get(subject) || []).filter((record) => record.number <= this.now.number);
  }

  filter(kept = this.now) {
    const [object, thread, bad] = ["only-object", "only-thread", "only-bad"].map((id) => byId(id).value);
    const words = byId("find").value.toLowerCase();
    this.rows = this.records.filter(
      (record) =>
        (!object || record.subject === object) &&
        (!thread || record.thread === thread) &&
        (!bad || (bad === "findings" ? record.finding : record.finding || record.tone === "illegal" || record.tone === "failed")) &&
        (!words || `${record.subject} ${record.call} ${record.arguments} ${record.outcome} ${record.next_state} ${record.error}`.toLowerCase().includes(words)),
    );
    this.lanes = lanes(this.rows);
    byId("at").max = Math.max(this.rows.length - 1, 0);
    byId("nothing").hidden = this.rows.length > 0;
    this.drawMarks();
    this.go(Math.max(kept ? this.rows.findIndex((record) => record.number >= kept.number) : 0, 0));
  }

  find(record) {
    if (!this.rows.includes(record)) {
      for (const id of ["find", "only-object", "only-thread", "only-bad"]) byId(id).value = "";
      this.filter(record);
    }
    this.go(this.rows.indexOf(record));
  }

  play() {
    const stop = this.timer !== null;
    clearInterval(this.timer);
    this.timer = stop ? null : setInterval(() => (this.at < this.rows.length - 1 ? this.go(this.at + 1) : this.play()), PLAY_EVERY);
    byId("play").textContent = stop ? "Play" : "Pause";
    byId("play").setAttribute("aria-pressed", String(!stop));
  }

  toggleChart() {
    const isCharted = byId("list").classList.toggle("charted");
    byId("charted").setAttribute("aria-pressed", String(isCharted));
    this.drawRows();
  }

  go(to) {
    this.at = Math.max(0, Math.min(to, this.rows.length - 1));
    byId("at").value = this.at;
    byId("count").textContent = this.rows.length ? `${this.at + 1} of ${this.rows.length.toLocaleString("en")}` : "0";
    byId("first").disabled = byId("back").disabled = this.at <= 0;
    byId("last").disabled = byId("next").disabled = this.at >= this.rows.length - 1;
    byId("copy-python").disabled = !this.now || !this.role(this.now);
    byId("copy-test").disabled = !this.now || !this.role(this.now)?.class;
    const list = byId("list");
    const top = this.at * ROW;
    if (top < list.scrollTop || top > list.scrollTop + list.clientHeight - 3 * ROW) list.scrollTop = Math.max(top - list.clientHeight / 2, 0);
    this.drawRows();
    const { now } = this;
    byId("step").hidden = byId("objects").hidden = !now;
    if (!now) return;
    const said = [now.error || `${shownName(now.subject)} made ${written(now)}.`, now.finding].filter(Boolean);
    byId("step").textContent = [...new Set(said)].join("\n");
    byId("step").className = now.tone === "illegal" || now.finding ? "bad" : "";
    const line = this.sources[`${now.file}:${now.line}`] || "";
    byId("source").textContent = now.file ? `${shownName(now.file)}:${now.line}${line ? `  ${shownName(line)}` : ""}` : "";
    this.showObjects(now);
    this.showPictures(now);
  }

  showObjects(now) {
    const states = new Map();
    for (const record of this.records.slice(0, now.number + 1)) states.set(record.subject, record.next_state || record.state);
    const shown = [...states].slice(-MOST_OBJECTS);
    if (!shown.some(([subject]) => subject === now.subject)) shown.unshift([now.subject, states.get(now.subject)]);
    const items = shown.map(([subject, state]) =>
      element("li", { class: subject === now.subject ? "now" : "" }, `${shownName(subject)}: `, element("strong", {}, shownName(state))),
    );
    if (states.size > shown.length) items.push(element("li", {}, `and ${states.size - shown.length} more`));
    byId("objects").replaceChildren(...items);
  }

  /** The pictures of the present object's role and of its peer's, with the paths that they took so far. */
  showPictures(now) {
    [now.subject, this.peers.get(now.subject)].forEach((subject, number) => {
      const steps = subject === undefined ? [] : this.path(subject);
      const last = steps[steps.length - 1];
      const role = last && this.role(last);
      const state = last && (last.next_state || last.state);
      const picture = this.pictures[number];
      const figure = picture.place.parentElement;
      figure.hidden = !role || !role.states.some((each) => each.name === state);
      if (figure.hidden) return;
      figure.querySelector("figcaption").textContent = `${shownName(subject)}: ${shownName(state)}`;
      const taken = new Map(steps.filter((each) => each.next_state).map((each) => [`${each.state}\n${each.call}\n${each.outcome}`, each]));
      taken.delete(`${last.state}\n${last.call}\n${last.outcome}`);
      const path = [...taken.values(), last].map((each) => ({ state: each.state, call: each.call, outcome: each.outcome, next: each.next_state || each.state }));
      picture.show(role, state, path);
    });
  }

  drawRows() {
    const list = byId("list");
    const first = Math.max(Math.floor(list.scrollTop / ROW) - 5, 0);
    const last = Math.min(first + Math.ceil(list.clientHeight / ROW) + 12, this.rows.length);
    const start = this.records.length ? this.records[0].began : 0;
    const focused = document.activeElement.closest?.("#events button")?.dataset.row;
    byId("events").style.paddingTop = `${first * ROW}px`;
    byId("events").style.paddingBottom = `${(this.rows.length - last) * ROW}px`;
    byId("events").replaceChildren(
      ...this.rows.slice(first, last).map((record, number) => {
        const row = first + number;
        const kind = [record.tone, row > this.at ? "later" : "", record.finding ? "found" : ""].join(" ");
        const time = element("span", { class: "time" }, ((record.began - start) * 1000).toFixed(2));
        const text = element("span", { class: "text" }, `${shownName(record.subject)}: ${written(record)}`);
        const attributes = { class: kind, "data-row": row, "aria-current": String(row === this.at), tabindex: row === this.at ? 0 : -1, click: () => this.go(row) };
        return element("li", {}, element("button", attributes, time, text));
      }),
    );
    if (focused !== undefined) byId("events").querySelector(`[data-row="${focused}"]`)?.focus({ preventScroll: true });
    drawLanes(byId("lanes"), this.lanes, this.rows, first, last, this.at);
  }

  drawMarks() {
    const canvas = byId("marks");
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = getComputedStyle(canvas).color;
    this.rows.forEach((record, row) => {
      if (record.tone === "illegal" || record.finding) pen.fillRect((row / Math.max(this.rows.length - 1, 1)) * (canvas.width - 3), 0, 3, canvas.height);
    });
  }

  async copy(text) {
    byId("copied").hidden = false;
    byId("copied").value = text;
    byId("copied").select();
    await navigator.clipboard?.writeText(text).catch(() => {}); // where it is not allowed, the selected text is there to copy
  }

  key(event) {
    const steps = { ArrowRight: this.at + 1, ArrowLeft: this.at - 1, ArrowDown: this.at + 1, ArrowUp: this.at - 1,
      PageDown: this.at + 20, PageUp: this.at - 20, Home: 0, End: this.rows.length - 1 }; // prettier-ignore
    if (Object.hasOwn(steps, event.key)) this.go(steps[event.key]);
    else if (event.key === "/") byId("find").focus();
    else if (event.key === "p") this.play();
    else if (event.key === "f") byId("full").click();
    else return false;
    return true;
  }
}

function choices(id, all, values) {
  const chosen = byId(id).value;
  byId(id).replaceChildren(element("option", { value: "" }, all), ...[...values].map((each) => element("option", { value: each }, shownName(each))));
  byId(id).value = [...values].includes(chosen) ? chosen : "";
}
