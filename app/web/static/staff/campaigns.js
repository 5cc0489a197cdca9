// The editor of a campaign: the lock screen shows what is typed, and of the parts that belong to
// a way of sending only those of the chosen one are there. Without this all of them are.
(function () {
  "use strict";
  const screen = document.querySelector("[data-lock]");
  document.querySelectorAll("[data-message]").forEach((field) => {
    const show = () => { if (screen) { screen.textContent = field.value; } };
    field.addEventListener("input", show);
    field.addEventListener("focus", show);
  });
  const when = document.querySelector("[data-when]");
  function choose() {
    document.querySelectorAll("[data-for]").forEach((part) => { part.hidden = part.dataset.for !== when.value; });
  }
  if (when) { when.addEventListener("change", choose); choose(); }
})();
