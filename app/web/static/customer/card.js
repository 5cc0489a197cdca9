// Keeps the card's page fresh while somebody looks at it: a new code, and what the card is worth.
"use strict";
(() => {
  const code = document.getElementById("code");
  if (!code) return;
  const still = document.getElementById("still");
  const offline = document.getElementById("offline");
  const SECONDS = 20;
  // A code older than this would be refused at the till.
  const STALE_SECONDS = 45;
  let freshAt = Date.now();
  let address = null;

  const show = (isFresh) => {
    code.hidden = !isFresh;
    still.hidden = offline.hidden = isFresh;
  };

  const refresh = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(code.dataset.live, { cache: "no-store" });
      if (answer.status === 404) location.reload();
      if (!answer.ok) throw new Error(answer.status);
      const now = await answer.json();
      if (now.status !== "active") location.reload();
      const picture = URL.createObjectURL(new Blob([now.code], { type: "image/svg+xml" }));
      code.src = picture;
      if (address) URL.revokeObjectURL(address);
      address = picture;
      document.getElementById("number").textContent = now.number;
      document.getElementById("label").textContent = now.label;
      freshAt = Date.now();
      show(true);
    } catch (error) {
      if (Date.now() - freshAt > STALE_SECONDS * 1000) show(false);
    }
  };

  setInterval(refresh, SECONDS * 1000);
  document.addEventListener("visibilitychange", refresh);
  addEventListener("online", refresh);
})();
