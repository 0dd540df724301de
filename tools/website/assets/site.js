// For readers who use a keyboard or a screen reader: a name for the search, and code and tables that can be scrolled.
const name_the_search = () => document.querySelector(".md-search")?.setAttribute("aria-label", "Search");

const let_the_keyboard_scroll = () => {
  for (const box of document.querySelectorAll("pre > code, .md-typeset__scrollwrap, .notebook-output")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};

name_the_search();
let_the_keyboard_scroll();
addEventListener("load", let_the_keyboard_scroll);
addEventListener("resize", let_the_keyboard_scroll);
