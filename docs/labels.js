// Names that the theme's own elements lack, and navigations within others that need none.
function label() {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  for (const nav of document.querySelectorAll("nav nav, .md-code__nav, .md-search__options")) {
    if (nav.getAttribute("role") === "presentation") continue;
    for (const name of ["aria-label", "aria-labelledby"]) nav.removeAttribute(name);
    nav.setAttribute("role", "presentation");
  }
}
new MutationObserver(label).observe(document.body, { childList: true, subtree: true });
label();
