"use strict";
(function () {
  const specs = JSON.parse(document.getElementById("chart-specs").textContent);
  // The interpreter (ast) stands in for the compiled expressions that the page's policy forbids.
  const options = { ast: true, actions: false, renderer: "svg", tooltip: { disableDefaultStyle: true } };
  for (const [name, spec] of Object.entries(specs)) {
    window.vegaEmbed("#chart-" + name, spec, options).catch(function (error) {
      document.getElementById("chart-" + name).textContent = "The chart could not be drawn: " + error.message;
    });
  }
})();
