// Speaks to the till program on this machine: asks, and follows the view.

const TOKEN = document.querySelector("meta[name=counterfoil-page]").content;

/** Ask the till program; resolves to its answer, or null where it does not answer. */
export async function ask(name, body = {}) {
  try {
    const response = await fetch(`/desk/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Counterfoil-Page": TOKEN },
      body: JSON.stringify(body),
    });
    if (!response.ok) {
      if (response.status === 403) location.reload();
      return null;
    }
    return await response.json();
  } catch {
    return null;
  }
}

/** Load the texts of a language. */
export async function texts(language) {
  const response = await fetch(`/words/${language}.json`, { headers: { "Counterfoil-Page": TOKEN } });
  return response.json();
}

/** Follow the view; `gone` is told when the till program does not answer. */
export function follow(shown, gone) {
  const source = new EventSource(`/desk/events?page=${encodeURIComponent(TOKEN)}`);
  source.onmessage = (event) => shown(JSON.parse(event.data));
  source.onerror = () => {
    gone();
    // The browser tries again by itself, but not after an answer that was a refusal.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 3000);
  };
}

/** The address of the camera's picture; a new one each time, so that it begins anew. */
export function cameraAddress() {
  return `/desk/camera?page=${encodeURIComponent(TOKEN)}&at=${Date.now()}`;
}
