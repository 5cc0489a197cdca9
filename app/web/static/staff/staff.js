// What all staff pages do besides: the menu is open where there is room, and an answer that is an
// error is said where people look.
(function () {
  "use strict";
  const wide = window.matchMedia("(min-width: 992px)");
  const menus = document.querySelectorAll("[data-menu]");
  const room = () => menus.forEach((menu) => { menu.open = wide.matches; });
  wide.addEventListener("change", room);
  room();

  function say(words) {
    const place = document.getElementById("said");
    const alert = document.createElement("div");
    alert.className = "alert alert-danger";
    alert.setAttribute("role", "alert");
    alert.textContent = words;
    place.replaceChildren(alert);
    alert.scrollIntoView({ block: "nearest" });
  }

  document.body.addEventListener("htmx:responseError", (event) => {
    const page = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
    const told = page.querySelector("[role=alert]");
    say(told ? told.textContent : event.detail.xhr.statusText);
  });
  document.body.addEventListener("htmx:sendError", () => {
    say(document.body.dataset.offline || "The service cannot be reached. Nothing was changed.");
  });
})();
