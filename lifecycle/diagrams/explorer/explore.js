"use strict";
// The first view: an object of a role, its calls, and where they lead.

class Explore {
  constructor(roles) {
    this.roles = roles;
    this.picture = new Picture(byId("picture"), (state) => this.jump(state), (edge) => this.take(edge));
    byId("role").append(...roles.map((role, number) => element("option", { value: number }, role.show(role.name))));
    byId("role").addEventListener("change", () => this.pick(roles[byId("role").value]));
    byId("undo").addEventListener("click", () => this.undo());
    byId("reset").addEventListener("click", () => this.pick(this.role));
    const [name, ...steps] = location.hash.slice(1).split("/").map(decodeURIComponent);
    this.pick(roles.find((role) => role.name === name) || roles[0]);
    for (const step of steps) {
      const [call, outcome] = step.split(".");
      if (Object.hasOwn(this.role.row(this.state, call) || {}, outcome)) this.make(call, outcome);
    }
  }

  /** Makes the call of an arrow that leaves the present state. */
  take(edge) {
    const found = this.role.edges.find(([state, , , , id]) => state === this.state && id === edge);
    if (found) this.make(found[1], found[2]);
  }

  pick(role) {
    this.role = role;
    byId("role").value = this.roles.indexOf(role);
    byId("role-doc").textContent = role.doc;
    this.begin(role.initial, "A new object.");
  }

  jump(state) {
    this.begin(state, `Put into the state ${this.role.show(state)}.`);
  }

  begin(state, said) {
    this.start = state;
    this.path = [];
    this.say(said);
    this.show();
  }

  get state() {
    return this.path.length ? this.path[this.path.length - 1].next : this.start;
  }

  make(call, outcome) {
    const step = { state: this.state, call, outcome, next: this.role.row(this.state, call)[outcome] };
    this.path.push(step);
    this.report(step);
    this.show(call);
  }

  follow(steps, goal) {
    this.path.push(...steps);
    this.say(`Now ${this.role.show(goal)}() is legal.`, "good");
    this.show(goal);
  }

  undo() {
    if (!this.path.length) return;
    const step = this.path.pop();
    this.say(`Took ${this.role.show(step.call)}() back.`);
    this.show(step.call);
  }

  report(step) {
    const kind = { success: "good", failure: "bad", waiting: "wait" }[this.role.kinds[step.outcome]];
    const led = step.next === step.state ? `kept ${this.role.show(step.state)}` : `led to ${this.role.show(step.next)}`;
    this.say(`${this.role.show(step.call)}() ended in ${this.role.show(step.outcome)} and ${led}.`, kind);
  }

  say(text, kind = "") {
    byId("said").textContent = text;
    byId("said").className = kind;
  }

  /** Draws everything anew; the focus stays on the call that was made where it is still there. */
  show(focused) {
    const { role, state } = this;
    byId("state").textContent = role.show(state);
    const marks = [state === role.initial && "initial", role.isFinal(state) && "final"].filter(Boolean);
    byId("state-marks").textContent = marks.length ? `(${marks.join(", ")})` : "";
    byId("state-doc").textContent = role.docOf(state);
    byId("undo").disabled = !this.path.length;
    const hadFocus = document.activeElement.closest("#legal, #refused");
    byId("legal").replaceChildren(...role.calls.filter((call) => role.row(state, call.name)).map((call) => this.legal(call)));
    const refused = role.calls.filter((call) => Object.hasOwn(role.refused[state], call.name));
    byId("refused").replaceChildren(...refused.map((call) => this.refused(call)));
    byId("path").replaceChildren(...this.path.map((step) => element("li", {}, this.written(step))));
    byId("path").scrollTop = byId("path").scrollHeight;
    this.picture.show(role, state, this.path);
    const steps = this.start === role.initial ? this.path.map((step) => `${step.call}.${step.outcome}`) : [];
    history.replaceState(null, "", `#${[role.name, ...steps].map(encodeURIComponent).join("/")}`);
    if (hadFocus) (this.button(focused) || this.buttons()[0])?.focus({ preventScroll: true });
  }

  written(step) {
    const outcome = step.outcome === "ok" ? "" : ` [${this.role.show(step.outcome)}]`;
    const next = step.next === step.state ? "" : ` \u2192 ${this.role.show(step.next)}`;
    return `${this.role.show(step.call)}()${outcome}${next}`;
  }

  legal(call) {
    const { role, state } = this;
    const outcomes = Object.entries(role.row(state, call.name));
    const first = outcomes.find(([outcome]) => outcome === "ok") || outcomes[0];
    const chips = outcomes.map(([outcome, next]) =>
      element(
        "button",
        {
          class: `outcome ${role.kinds[outcome]}`,
          "data-call": call.name,
          "data-outcome": outcome,
          title: `${role.show(call.name)}() ends in ${role.show(outcome)}${this.errors(call, outcome)}`,
          click: () => this.make(call.name, outcome),
        },
        next === state ? `${role.show(outcome)}: stays` : `${role.show(outcome)} \u2192 ${role.show(next)}`,
      ),
    );
    const button = element(
      "button",
      { class: "call", "data-call": call.name, click: () => this.make(call.name, first[0]) },
      `${role.show(call.name)}()`,
    );
    return element(
      "li",
      {},
      element("div", { class: "row" }, button, ...chips),
      element("div", { class: "doc" }, call.doc),
    );
  }

  /** Which of the system's errors mean an outcome. */
  errors(call, outcome) {
    return Object.hasOwn(call.errors, outcome) ? `: ${call.errors[outcome].join(", ")}` : "";
  }

  refused(call) {
    const button = element(
      "button",
      {
        class: "call",
        "data-call": call.name,
        "aria-expanded": "false",
        "aria-label": `${this.role.show(call.name)}(), refused: why?`,
        click: () => this.explain(call, item, button),
      },
      `${this.role.show(call.name)}()`,
    );
    const item = element("li", {}, element("div", { class: "row" }, button));
    return item;
  }

  explain(call, item, button) {
    const opened = item.querySelector(".why");
    button.setAttribute("aria-expanded", String(!opened));
    if (opened) {
      opened.remove();
      return;
    }
    const { role, state } = this;
    const { reason, remedy, answers } = role.refused[state][call.name];
    const name = `${role.show(call.name)}()`;
    const why = element("div", { class: "why" });
    why.append(element("p", {}, element("strong", {}, `${name} is not legal in ${role.show(state)}.`)));
    if (reason) why.append(element("p", { class: "reason" }, `${reason[0].toUpperCase()}${reason.slice(1)}.`));
    why.append(element("p", { class: "advice" }, this.advice(call, remedy)));
    if (answers.length) {
      const known = answers.map(([system, answer]) => `${system} ${{ ok: "would accept it", blocks: "would wait for ever" }[answer] || `would answer ${answer}`}`);
      why.append(element("p", { class: "quiet answers" }, `${known.join(", ")}.`));
    }
    const steps = remedy && role.walk(state, remedy, call.name);
    if (steps && steps.length) {
      why.append(element("button", { class: "go", click: () => this.follow(steps, call.name) }, "Do that"));
    }
    item.append(why);
    this.say(`${name} is refused in ${role.show(state)}: nothing happened.`, "bad");
  }

  advice(call, remedy) {
    const name = `${this.role.show(call.name)}()`;
    if (remedy) return `Call ${remedy.map((step) => `${this.role.show(step)}()`).join(", then ")} first.`;
    const isNever = !this.role.states.some((state) => this.role.row(state.name, call.name));
    return isNever ? `No state of this role takes ${name}.` : `No call leads from here to a state where ${name} is legal.`;
  }

  buttons() {
    return [...document.querySelectorAll("#legal .call, #refused .call")];
  }

  button(call) {
    return this.buttons().find((each) => each.dataset.call === call);
  }

  key(event) {
    const buttons = this.buttons();
    const at = buttons.indexOf(document.activeElement);
    switch (event.key) {
      case "ArrowDown":
        buttons[Math.min(at + 1, buttons.length - 1)]?.focus();
        return true;
      case "ArrowUp":
        buttons[Math.max(at - 1, 0)]?.focus();
        return true;
      case "u":
        this.undo();
        return true;
      case "n":
        this.pick(this.role);
        return true;
    }
    return false;
  }
}
