// The try-it forms of the API reference: a form's fields become a request with the key that was pasted into the page, or, without one,
// as whoever is signed in.
(() => {
  for (const form of document.querySelectorAll("[data-try]")) {
    form.addEventListener("submit", async (e) => {
      e.preventDefault();
      const out = form.querySelector("pre");
      const key = document.querySelector("#try-key");
      const headers = { Authorization: "Bearer " + key.value.trim() };
      const query = new URLSearchParams();
      let path = form.dataset.path, body;
      for (const field of form.querySelectorAll("[data-in]")) {
        const value = field.value.trim();
        if (!value) continue;
        if (field.dataset.in === "path") path = path.replace("{" + field.name + "}", encodeURIComponent(value));
        else if (field.dataset.in === "header") headers[field.name] = value;
        else if (field.dataset.in === "body") { body = value; headers["Content-Type"] = "application/json"; }
        else query.set(field.name, value);
      }
      out.hidden = false;
      out.textContent = "…";
      try {
        const address = path + (query.size ? "?" + query : "");
        const r = !key.value.trim() && "asUser" in key.dataset
          ? await fetch("/docs/api/tries", { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" },
            body: JSON.stringify({ method: form.dataset.method, path: address, body: body ?? "" }) })
          : await fetch(address, { method: form.dataset.method, headers, body });
        const text = await r.text();
        let shown = text;
        try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: as it is */ }
        out.textContent = "HTTP " + r.status + "\n\n" + shown.slice(0, 100000);
      } catch (problem) {
        out.textContent = String(problem);
      }
    });
  }
})();
