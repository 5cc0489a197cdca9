// The pass designer while somebody types: colours picked and written are one, and what is wrong is
// said at its field as soon as the phones are drawn anew.
(function () {
  "use strict";
  document.documentElement.classList.add("designer-scripted");
  const form = document.getElementById("design");

  form.addEventListener("input", (event) => {
    const picker = event.target;
    if (picker.dataset.colourOf) {
      document.getElementById(picker.dataset.colourOf).value = picker.value;
    } else if (picker.dataset.told && /^#[0-9a-f]{6}$/i.test(picker.value)) {
      form.querySelector(`[data-colour-of="${picker.id}"]`).value = picker.value.toLowerCase();
    }
  });

  function all() {
    const told = JSON.parse(document.getElementById("designer-told").dataset.told);
    document.querySelectorAll("#designer-checks [data-field]").forEach((found) => {
      const { field, said } = found.dataset;
      if (field && !(told[field] || []).includes(said)) { told[field] = [...(told[field] || []), said]; }
    });
    return told;
  }

  function tell() {
    const told = all();
    form.querySelectorAll(".designer-told").forEach((place) => {
      const said = told[place.id.slice("told-".length)] || [];
      if (place.innerText.trim() !== said.join("\n\n").trim()) {
        place.replaceChildren(...said.map((words) => {
          const line = document.createElement("p");
          line.textContent = words;
          return line;
        }));
      }
      const input = document.getElementById("f-" + place.id.slice("told-".length));
      if (input) {
        input.classList.toggle("is-invalid", said.length > 0);
        input.toggleAttribute("aria-invalid", said.length > 0);
        if (said.length > 0) { input.setAttribute("aria-invalid", "true"); }
      }
    });
  }

  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "designer-phones") {
      tell();
      // A pass is built and looked through once nothing was typed for a while.
      document.body.dispatchEvent(new Event("drawn"));
    } else if (event.target.id === "designer-checks") { tell(); }
  });
  tell();
})();
