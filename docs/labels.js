// Names that the theme's own elements lack, tables that the keyboard can scroll, and navigations within others that need none.
function label() {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  for (const wide of document.querySelectorAll(".md-typeset__scrollwrap")) if (wide.tabIndex) wide.tabIndex = 0;
  for (const nav of document.querySelectorAll("nav nav, .md-code__nav, .md-search__options")) {
    for (const name of ["aria-label", "aria-labelledby", "aria-expanded"]) if (nav.hasAttribute(name)) nav.removeAttribute(name);
    if (nav.getAttribute("role") !== "presentation") nav.setAttribute("role", "presentation");
  }
}
new MutationObserver(label).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-expanded"] });
label();
