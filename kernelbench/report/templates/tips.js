"use strict";
// What a column means, on hover and on focus, beside its name.
document.addEventListener("DOMContentLoaded", function () {
  const tip = document.getElementById("tip");
  if (!tip) return;

  let shown = null;

  function show(event) {
    shown = event.currentTarget;
    if (!shown.dataset.tip) return;
    tip.textContent = shown.dataset.tip;
    tip.hidden = false;
    shown.setAttribute("aria-describedby", "tip");
    place();
  }

  function place() {
    const at = shown.getBoundingClientRect();
    const left = Math.min(at.left, window.innerWidth - tip.offsetWidth - 8);
    const above = at.top - tip.offsetHeight - 6;
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = (above > 0 ? above : at.bottom + 6) + "px";
  }

  function hide() {
    tip.hidden = true;
    document.querySelectorAll("[aria-describedby=tip]").forEach(function (one) {
      one.removeAttribute("aria-describedby");
    });
  }

  document.querySelectorAll("[data-tip]").forEach(function (button) {
    button.addEventListener("mouseenter", show);
    button.addEventListener("focus", show);
    button.addEventListener("mouseleave", hide);
    button.addEventListener("blur", hide);
  });
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") hide(); });
  // The focus itself may scroll its button into view: the words go along.
  window.addEventListener("scroll", function () { if (!tip.hidden) place(); }, { passive: true, capture: true });
});
