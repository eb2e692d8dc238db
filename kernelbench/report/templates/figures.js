"use strict";
// Draws every figure of the page when it comes near the window, so that the page answers at once.
window.kernelbench = (function () {
  const drawing = new Map();
  const listeners = [];

  function draw(id) {
    if (!drawing.has(id)) {
      const place = document.getElementById("chart-" + id);
      const spec = JSON.parse(document.getElementById("spec-" + id).textContent);
      // The interpreter (ast) stands in for the compiled expressions that the page's policy forbids.
      const options = {
        ast: true, actions: false, defaultStyle: false,
        // The place's own label and the table stand for the chart: Vega's would read out every dot with all its digits.
        config: { aria: false },
        renderer: place.dataset.renderer || "svg", tooltip: { disableDefaultStyle: true },
      };
      drawing.set(id, window.vegaEmbed(place, spec, options).then(function (drawn) {
        listeners.forEach(function (tell) { tell(id, drawn.view, spec); });
        place.querySelector("svg, canvas").setAttribute("aria-hidden", "true");
        place.dataset.drawn = "";
        return drawn.view;
      }, function (error) {
        place.textContent = "The chart could not be drawn: " + error.message;
      }));
    }
    return drawing.get(id);
  }

  function drawAll() {
    return Promise.all(Array.from(document.querySelectorAll("[data-figure]"), function (place) {
      return draw(place.dataset.figure);
    }));
  }

  // Painted dots keep the ink they were painted with: the system's change of theme needs a new coat.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () {
    document.querySelectorAll("[data-renderer=canvas]").forEach(function (place) {
      const id = place.dataset.figure;
      if (drawing.has(id)) drawing.get(id).then(function (view) { view.resize().runAsync(); });
    });
  });

  document.addEventListener("DOMContentLoaded", function () {
    const near = new IntersectionObserver(function (entries) {
      entries.filter(function (entry) { return entry.isIntersecting; }).forEach(function (entry) {
        near.unobserve(entry.target);
        draw(entry.target.dataset.figure);
      });
    }, { rootMargin: "500px" });
    document.querySelectorAll("[data-figure]").forEach(function (place) { near.observe(place); });
    window.addEventListener("beforeprint", drawAll);
  });

  return { draw: draw, drawAll: drawAll, onDrawn: function (tell) { listeners.push(tell); } };
})();
