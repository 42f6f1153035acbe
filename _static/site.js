// A formula that is wider than the page scrolls; then the keyboard must reach it too.
const letKeyboardScroll = () => {
  for (const formula of document.querySelectorAll(".katex-display")) {
    if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
    else formula.removeAttribute("tabindex");
  }
};
addEventListener("load", letKeyboardScroll);
addEventListener("resize", letKeyboardScroll);
