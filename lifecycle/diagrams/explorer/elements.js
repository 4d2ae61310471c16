"use strict";
// Making elements of the page, and finding them.

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
