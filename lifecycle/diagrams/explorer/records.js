"use strict";
// What the second view is made of: records from a file, texts, lanes, pairs of objects, and code to copy.

const FIELDS = ["role", "subject", "state", "call", "thread", "file", "line", "arguments", "began", "ended", "outcome", "next_state", "error"];
const REQUIRED = { role: "string", subject: "string", state: "string", call: "string", began: "number" };
const OPTIONAL = { thread: "string", file: "string", line: "number", arguments: "string", error: "string", ended: "number", outcome: "string", next_state: "string" };
const ABSENT = { thread: "", file: "", line: 0, arguments: "", error: "", ended: null, outcome: null, next_state: null };

/** A record of the page's own data, in which texts are numbers. */
function unpacked(row, texts) {
  return complete(Object.fromEntries(FIELDS.map((field, place) => [field, typeof ABSENT[field] === "number" || REQUIRED[field] === "number" || field === "ended" || row[place] === null ? row[place] : texts[row[place]]])));
}

function complete(record) {
  return { ...ABSENT, ...record };
}

/** The records of a journal's lines; the error for any other line has its number. */
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
  return records;
}

/** A text in which every character that acts or is not seen stands as its escape, and which is cut where it is very long. */
function shownName(text) {
  const shown = String(text).replace(/[\p{C}\u2028\u2029]/gu, (letter) => `\\u{${letter.codePointAt(0).toString(16)}}`);
  return shown.length > 200 ? `${shown.slice(0, 200)}…` : shown;
}

function written(record) {
  const given = record.arguments.split(", ").filter((each) => !["None", "Ellipsis"].includes(each) && !each.endsWith("=None") && !each.endsWith("=Ellipsis"));
  const outcome = record.outcome === "ok" ? "" : ` [${record.outcome === null ? "no outcome" : record.outcome}]`;
  const next = record.next_state && record.next_state !== record.state ? ` \u2192 ${record.next_state}` : "";
  return shownName(`${record.call}(${given.join(", ")})${record.ended === null ? " still runs" : outcome}${next}`);
}

/** The lanes of the chart: subject -> its column, its first and its last row; and of each row, the row at which its call ended. */
function lanes(rows) {
  const spans = new Map();
  const begins = Float64Array.from(rows, (record) => record.began);
  const ends = rows.map((record, row) => {
    let [low, high] = [row, rows.length];
    if (record.ended === null) return rows.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (begins[middle] <= record.ended) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  });
  rows.forEach((record, row) => {
    if (!spans.has(record.subject)) spans.set(record.subject, { subject: record.subject, first: row, last: row, column: 0 });
    const span = spans.get(record.subject);
    span.last = Math.max(span.last, ends[row]);
  });
  const free = [];
  const used = [];
  let count = 0;
  for (const span of spans.values()) {
    if (spans.size > MOST_LANES) {
      for (let place = used.length - 1; place >= 0; place--) if (used[place].last < span.first) free.push(used.splice(place, 1)[0].column);
      free.sort((one, other) => other - one);
    }
    span.column = free.length ? free.pop() : count++;
    used.push(span);
  }
  return { spans, ends, count };
}

/** Draws the rows in sight: a line for each object that lives, a bar for each call from its begin to its end. */
function drawLanes(place, { spans, ends, count } = { spans: new Map(), ends: [], count: 0 }, rows, first, last, at) {
  const draw = (tag, attributes, text = "") => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.textContent = text;
    return made;
  };
  const y = (row) => (row - first) * ROW;
  const parts = [];
  if (getComputedStyle(place).display !== "none") {
    for (const span of spans.values()) {
      if (span.last < first || span.first >= last) continue;
      const x = span.column * LANE + 8;
      parts.push(draw("line", { class: "life", x1: x, x2: x, y1: y(Math.max(span.first, first)), y2: y(Math.min(span.last, last) + 1) }));
    }
    for (let row = 0; row < last; row++) {
      if (ends[row] < first) continue;
      const { subject, tone, call } = rows[row];
      const x = spans.get(subject).column * LANE;
      const top = y(Math.max(row, first)) + 4;
      parts.push(draw("rect", { class: tone, x: x + 4, y: top, width: 8, height: y(Math.min(ends[row], last)) + ROW - 4 - top, rx: 2 }));
      if (row < first) continue;
      const isFirst = spans.get(subject).first === row;
      const record = rows[row];
      const next = record.next_state && record.next_state !== record.state ? ` \u2192 ${record.next_state}` : "";
      const text = draw("text", { class: `${tone}${row === at ? " now" : ""}`, x: x + 17, y: y(row) + 16 }, cut(isFirst ? `${subject}: ${call}` : `${call}${next}`, 20));
      parts.push(text);
    }
  }
  place.style.top = `${first * ROW}px`;
  place.setAttribute("width", count * LANE + 20);
  place.setAttribute("height", Math.max(last - first, 0) * ROW);
  place.replaceChildren(...parts);
}

function cut(text, most) {
  const letters = [...shownName(text)];
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : letters.join("");
}

/**
 * object -> the object at the other end, where the order of the calls says so: one whose role has a call that another role's
 * call fires enters a state by it, and the nth of these belongs to the nth object of another role that enters a state of that name.
 */
function pairs(bySubject, roles) {
  const entered = new Map();
  for (const role of roles.values()) {
    const fired = role.calls.find((call) => call.fired_by && role.row(role.initial, call.name));
    if (fired) entered.set(Object.values(role.row(role.initial, fired.name))[0], role.name);
  }
  const ends = [];
  for (const [subject, records] of bySubject) {
    const begin = records.find((record) => entered.has(record.next_state) && record.state !== record.next_state);
    if (begin) ends.push({ subject, state: begin.next_state, began: begin.began, isFired: entered.get(begin.next_state) === begin.role });
  }
  const found = new Map();
  for (const state of entered.keys()) {
    const of = (isFired) => ends.filter((end) => end.state === state && end.isFired === isFired).sort((one, other) => one.began - other.began);
    const others = of(false);
    of(true).forEach((end, number) => {
      if (!others[number]) return;
      found.set(end.subject, others[number].subject);
      found.set(others[number].subject, end.subject);
    });
  }
  return found;
}

/** A text as a literal of Python. */
function literal(text) {
  return `"${[...String(text)].map((letter) => (/[ !#-[\]-~]/.test(letter) ? letter : `\\U${letter.codePointAt(0).toString(16).padStart(8, "0")}`)).join("")}"`;
}

/** The calls of an object as a program. */
function asPython(path, role) {
  const name = role.name.replace(/\W/g, "_");
  const made = role.class ? `from lifecycle import ${role.class}\n\n${name} = ${role.class}()` : `import socket\n\n${name} = socket.socket()`;
  const lines = path.filter((record) => record.state).map((record) => {
    const call = `${name}.${record.call}(${shownName(record.arguments)})`;
    const outcome = record.outcome === "ok" ? "" : `  # ${shownName(record.outcome)}`;
    return role.calls.find((each) => each.name === record.call)?.fired_by ? `# ${call}: made by another object's call` : `${call}${outcome}`;
  });
  return `${made}\n${lines.join("\n")}\n`;
}

/** The path of an object as a test of its role's table. */
function asTest(path, role) {
  const steps = path.map((record) => `    (${[record.state, record.call, record.outcome ?? "", record.next_state ?? record.state].map(literal).join(", ")}),`);
  return `import pytest

from lifecycle import ROLES

PATH = [  # state, call, outcome, next state
${steps.join("\n")}
]


@pytest.mark.parametrize(("state", "call", "outcome", "after"), PATH)
def test_the_path_is_of_the_table(state, call, outcome, after):
    """Each call of the recorded run is a row of the table, or is refused as it was."""
    row = ROLES[${literal(role.name)}].table[state].get(call)
    assert row is None if outcome == "illegal" else row[outcome] == after
`;
}
