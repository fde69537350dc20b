// Ask again and again, cheaply: the last ETag goes along, 304 means nothing to do.

const EVERY_MS = 2000;
const SLOWEST_MS = 30000;

/** Calls `changed(response)` whenever the answer at `address` is new; `state(ok)` after every try. */
export function follow(address, { changed, state, accept }) {
  let etag = null;
  let pause = EVERY_MS;

  async function ask() {
    try {
      const headers = { Accept: accept };
      if (etag) headers["If-None-Match"] = etag;
      const response = await fetch(address, { headers, cache: "no-store" });
      if (response.status === 401) {
        location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
        return;
      }
      if (response.status === 200) {
        etag = response.headers.get("ETag");
        await changed(response);
      } else if (response.status !== 304) {
        throw new Error(String(response.status));
      }
      pause = EVERY_MS;
      state(true);
    } catch {
      pause = Math.min(pause * 2, SLOWEST_MS);
      state(false);
    }
    // A page in the background asks no more; looked at again, it asks at once.
    if (document.hidden) document.addEventListener("visibilitychange", ask, { once: true });
    else setTimeout(ask, pause);
  }

  ask();
}
