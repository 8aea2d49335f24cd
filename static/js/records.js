// Choosing rows of the records table: how many are ticked, and buttons that need some. Without this script the form works as it is.
(() => {
  const show = (form) => {
    const all = form.querySelector("[data-all]");
    const rows = [...form.querySelectorAll("input[name=row]")];
    const ticked = rows.filter((row) => row.checked).length;
    for (const row of rows) row.disabled = !!all?.checked;
    for (const button of form.querySelectorAll("[data-needs-rows]")) button.disabled = !ticked && !all?.checked;
    const said = form.querySelector("[data-ticked]");
    if (said) said.textContent = all?.checked ? "" : ticked ? ticked + (ticked === 1 ? " row chosen" : " rows chosen") : "";
  };
  const showAll = () => document.querySelectorAll("form[data-rows]").forEach(show);
  document.addEventListener("change", (e) => {
    const form = e.target.closest?.("form[data-rows]");
    if (form) show(form);
  });
  document.addEventListener("htmx:afterSettle", showAll);
  addEventListener("pageshow", showAll);
  showAll();
})();
