"use strict";
// The page: its two views, and which of them the keys are for.

const data = JSON.parse(byId("data").textContent);
data.run = data.run.map((row) => unpacked(row, data.texts));
const roles = data.roles.map((role) => new Role(role));
let shown = "";
const views = { explore: new Explore(roles), replay: new Run(roles, data) };
const titles = { explore: "Explore", replay: "A recorded run" };

function view(name) {
  shown = name;
  for (const each of Object.keys(views)) {
    byId(each).hidden = each !== name;
    const tab = byId(`tab-${each}`);
    tab.setAttribute("aria-selected", String(each === name));
    tab.tabIndex = each === name ? 0 : -1;
  }
  if (name === "replay") views.replay.go(views.replay.at);
  else views.explore.show();
}

byId("views").append(
  ...Object.keys(views).map((name) =>
    element("button", { id: `tab-${name}`, role: "tab", "aria-controls": name, click: () => view(name) }, titles[name]),
  ),
);
byId("views").addEventListener("keydown", (event) => {
  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
  const [other] = Object.keys(views).filter((name) => name !== shown);
  view(other);
  byId(`tab-${other}`).focus();
  event.stopPropagation();
});
document.addEventListener("keydown", (event) => {
  if (!isForThePage(event)) return;
  if (event.key === "1" || event.key === "2") view(Object.keys(views)[event.key - 1]);
  else if (views[shown].key(event)) event.preventDefault();
});
view(data.opens);
