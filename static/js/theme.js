// Runs before the page is drawn, so that a chosen theme does not flash.
(() => {
  let theme = null;
  try { theme = localStorage.getItem("theme"); } catch { /* storage is switched off: follow the system */ }
  const root = document.documentElement;
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  root.classList.add("js");
})();
