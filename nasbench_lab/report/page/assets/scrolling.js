// Wide tables and drawings scroll inside their box. What is outside is announced: by a shade, and once by a sentence.

/** Boxes that scroll can be focused and have a cue; others are no stop for the keyboard. */
function scrollCues() {
  const boxes = Array.from(document.querySelectorAll(".scroll, .diagram, .canvas, pre[tabindex], .bar nav"));
  const update = (box) => {
    const sideways = box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX !== "visible";
    const links = box.localName === "nav"; // the keyboard reaches its links
    if (!links && (sideways || box.scrollHeight > box.clientHeight + 1)) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
    const frame = box.closest(".scroller");
    if (!frame) return;
    frame.classList.toggle("before", sideways && box.scrollLeft > 1);
    frame.classList.toggle("after", sideways && box.scrollLeft < box.scrollWidth - box.clientWidth - 1);
    let cue = frame.nextElementSibling?.matches(".cue") ? frame.nextElementSibling : null;
    if (sideways && !cue && !links) frame.after((cue = made("p", { class: "cue", "aria-hidden": "true" }, "scroll sideways for more →")));
    if (cue) cue.hidden = !sideways;
  };
  const all = () => boxes.forEach(update);
  const sizes = new ResizeObserver(all);
  for (const box of boxes) {
    box.addEventListener("scroll", () => update(box), { passive: true });
    sizes.observe(box);
  }
  document.addEventListener("toggle", all, true);
  document.addEventListener("widths", all);
  all();
}
