// Keeps the live part of a list page up to date: by server-sent events, or by asking every few seconds where those do not get through.
(() => {
  const live = document.getElementById("live");
  if (!live || live.dataset.ended === "true") return;
  const pollEvery = 5000, sayEvery = 10000, rowsEvery = 3000, busyEvery = 500, triesBeforePolling = 3;
  let said = 0, refreshed = 0, failures = 0, polling = false;

  // show puts in what came. It says false when the list has another state than the page was made for.
  const show = (html) => {
    const focus = document.activeElement && live.contains(document.activeElement) ? document.activeElement.id : "";
    const openWhy = document.getElementById("why")?.open;
    live.innerHTML = html; // our own server's HTML, escaped there; scripts in it could not run (CSP)
    if (openWhy !== undefined && document.getElementById("why")) document.getElementById("why").open = openWhy;
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
    window.htmx?.process(live);
    document.dispatchEvent(new CustomEvent("htmx:afterSettle"));
    const now = Date.now(), part = live.querySelector("[data-say]");
    if (part && now - said > sayEvery) {
      document.getElementById("said").textContent = part.dataset.say;
      said = now;
    }
    if (now - refreshed > rowsEvery) refreshRows(now);
    return part?.dataset.state === live.dataset.state;
  };

  const busyInRows = "#records input[name=row]:checked, #records [data-all]:checked, #records details[open]";

  // The table is only refreshed while nobody is busy in it.
  const refreshRows = (now) => {
    const records = document.getElementById("records");
    if (!records || records.contains(document.activeElement) || document.querySelector(busyInRows) || document.getElementById("drawer")?.open) return;
    refreshed = now;
    window.htmx?.trigger(records, "refresh");
  };

  // Buttons and filters depend on the state: the page is loaded again, once nobody reads evidence, has a menu open or rows chosen.
  const stateChanged = () => {
    if (document.getElementById("drawer")?.open || document.querySelector("details[data-pop][open], " + busyInRows)) setTimeout(stateChanged, busyEvery);
    else location.reload();
  };

  const poll = async () => {
    try {
      const answer = await fetch(live.dataset.poll);
      if (answer.redirected || answer.status === 404) return location.reload();
      if (answer.ok) {
        if (!show(await answer.text())) return stateChanged();
      }
    } catch { /* offline: ask again */ }
    setTimeout(poll, pollEvery);
  };
  const startPolling = () => {
    if (polling) return;
    polling = true;
    poll();
  };

  if (!window.EventSource) return startPolling();
  const events = new EventSource(live.dataset.live);
  events.addEventListener("progress", (e) => {
    failures = 0;
    if (show(e.data)) return;
    events.close();
    stateChanged();
  });
  events.addEventListener("end", () => events.close());
  events.addEventListener("error", () => {
    failures++;
    if (events.readyState === EventSource.CLOSED || failures >= triesBeforePolling) {
      events.close();
      startPolling();
    }
  });
  addEventListener("pagehide", () => events.close());
})();
