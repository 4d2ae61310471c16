// Names and roles that the theme's own elements lack.
function label() {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  for (const nav of document.querySelectorAll("nav nav, .md-code__nav")) if (nav.getAttribute("role") !== "group") nav.setAttribute("role", "group");
}
new MutationObserver(label).observe(document.body, { childList: true, subtree: true });
label();
