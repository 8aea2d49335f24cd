// What every page has: theme switch, local times, menus, copying, and the parts of the list pages.
(() => {
  const all = (selector, within = document) => within.querySelectorAll(selector);

  // Theme
  const dark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  for (const button of all("[data-theme-switch]")) {
    button.addEventListener("click", () => {
      const theme = dark() ? "light" : "dark";
      document.documentElement.dataset.theme = theme;
      try { localStorage.setItem("theme", theme); } catch { /* not kept, but switched */ }
    });
  }

  for (const choice of all("[data-theme-choice]")) {
    choice.value = document.documentElement.dataset.theme ?? "";
    choice.addEventListener("change", () => {
      if (choice.value) document.documentElement.dataset.theme = choice.value;
      else delete document.documentElement.dataset.theme;
      try { if (choice.value) localStorage.setItem("theme", choice.value); else localStorage.removeItem("theme"); } catch { /* not kept */ }
    });
  }

  // Times in the reader's own zone
  const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  const hour = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  const localTimes = (within) => {
    for (const el of all("time[data-local]", within)) {
      const t = new Date(el.dateTime);
      el.title = el.textContent;
      el.textContent = t.toDateString() === new Date().toDateString() ? "today " + hour.format(t) : day.format(t);
      el.removeAttribute("data-local");
    }
  };
  localTimes(document);
  document.addEventListener("htmx:afterSettle", (e) => localTimes(e.target.isConnected ? e.target : document));

  // Menus close by Escape and by a click elsewhere
  const closeMenus = (but) => {
    for (const pop of all("details[data-pop][open]")) if (pop !== but && !pop.contains(but)) pop.open = false;
  };
  document.addEventListener("click", (e) => closeMenus(e.target));
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Escape") return;
    const open = document.activeElement && document.activeElement.closest("details[data-pop][open]");
    closeMenus(null);
    if (open) open.querySelector("summary").focus();
  });

  // Copying
  document.addEventListener("click", async (e) => {
    const button = e.target.closest("[data-copy]");
    if (!button) return;
    const from = document.querySelector(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(from.textContent);
    } catch {
      getSelection().selectAllChildren(from); // without a secure origin: select it, Ctrl-C does the rest
      return;
    }
    button.classList.add("done");
    const label = button.querySelector("span");
    if (label) label.textContent = "Copied";
    setTimeout(() => { button.classList.remove("done"); if (label) label.textContent = "Copy"; }, 2000);
  });

  // A form that must not be sent twice: its button rests until the answer is there
  for (const form of all("form[data-once]")) {
    const rest = (on) => { for (const button of all("button[type=submit]", form)) button.disabled = on; };
    form.addEventListener("submit", () => rest(true));
    addEventListener("pageshow", () => rest(false));
  }

  // The drawer: opened when its content has come
  const drawer = document.getElementById("drawer");
  if (drawer) {
    let opener = null;
    document.addEventListener("htmx:beforeRequest", (e) => { if (e.target.matches("[data-drawer]")) opener = e.target.id; });
    document.addEventListener("htmx:afterSwap", (e) => {
      if (e.target.id !== "drawer-body") return;
      if (!drawer.open) drawer.showModal();
      e.target.scrollTop = 0;
    });
    drawer.addEventListener("click", (e) => { if (e.target === drawer || e.target.closest("[data-close]")) drawer.close(); });
    drawer.addEventListener("close", () => { const back = opener && document.getElementById(opener); if (back) back.focus(); });
  }

  // After a part of a page was replaced, the focus goes back to where it was
  let focused = null;
  document.addEventListener("htmx:beforeSwap", () => { focused = document.activeElement && document.activeElement.id; });
  document.addEventListener("htmx:afterSettle", () => {
    const el = focused && document.getElementById(focused);
    if (el && document.activeElement === document.body) el.focus({ preventScroll: true });
    focused = null;
  });
})();
