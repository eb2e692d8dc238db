"use strict";
(function () {
  const spec = JSON.parse(document.getElementById("roofline-spec").textContent);
  // The interpreter (ast) stands in for the compiled expressions that the page's policy forbids.
  const options = { ast: true, actions: false, renderer: "svg", tooltip: { disableDefaultStyle: true } };
  window.vegaEmbed("#roofline", spec, options).catch(function (error) {
    document.getElementById("roofline").textContent = "The roofline could not be drawn: " + error.message;
  });
})();
