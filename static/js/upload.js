// Dropping a file anywhere on the page, and uploading with a progress bar. Without this script the form works as it is.
(() => {
  const form = document.querySelector("form[data-upload]");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const idle = form.querySelector(".drop-in"), busy = form.querySelector(".drop-busy");
  const bar = busy.querySelector("progress"), note = form.querySelector("[data-upload-note]");
  const problem = form.querySelector("[data-upload-error]");
  const most = Number(form.dataset.max);
  const megabytes = (n) => (n / 1048576).toFixed(n < 1e7 ? 1 : 0) + " MB";
  let sending = null;

  const refuse = (text) => {
    problem.textContent = text;
    problem.hidden = false;
    idle.hidden = false;
    busy.hidden = true;
    input.value = "";
    sending = null;
  };

  const send = (file) => {
    if (sending) return;
    problem.hidden = true;
    if (file.size === 0) return refuse(`${file.name} is empty. Choose a file with one person per row.`);
    if (file.size > most) return refuse(`${file.name} has ${megabytes(file.size)}; at most ${megabytes(most)} can be taken. Split it and upload the parts.`);
    idle.hidden = true;
    busy.hidden = false;
    bar.value = 0;
    form.querySelector("[data-upload-name]").textContent = file.name;
    const data = new FormData();
    data.append("file", file);
    const request = sending = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (e) => {
      if (!e.lengthComputable) return;
      bar.value = e.loaded / e.total;
      note.textContent = e.loaded < e.total ? `${megabytes(e.loaded)} of ${megabytes(e.total)}` : "Looking at the file…";
    });
    request.addEventListener("load", () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* told below */ }
      if (request.status === 201 && answer.data) location.assign(answer.data.location);
      else if (request.status === 401) location.assign("/sign-in");
      else refuse(answer.errors?.[0]?.details ?? "The upload did not work. Try again in a moment.");
    });
    request.addEventListener("error", () => refuse("The connection broke. Try again."));
    request.addEventListener("abort", () => refuse("Stopped. Nothing was kept."));
    request.send(data);
  };

  form.querySelector("[data-upload-stop]").addEventListener("click", () => sending?.abort());
  input.addEventListener("change", () => { if (input.files[0]) send(input.files[0]); });
  form.addEventListener("submit", (e) => { e.preventDefault(); if (input.files[0]) send(input.files[0]); });

  let inside = 0;
  const hasFile = (e) => e.dataTransfer && [...e.dataTransfer.types].includes("Files");
  addEventListener("dragenter", (e) => { if (hasFile(e)) { inside++; document.body.classList.add("dropping"); } });
  addEventListener("dragleave", (e) => { if (hasFile(e) && --inside <= 0) { inside = 0; document.body.classList.remove("dropping"); } });
  addEventListener("dragover", (e) => { if (hasFile(e)) e.preventDefault(); });
  addEventListener("drop", (e) => {
    if (!hasFile(e)) return;
    e.preventDefault();
    inside = 0;
    document.body.classList.remove("dropping");
    if (e.dataTransfer.files.length > 1) return refuse("One file at a time, please.");
    if (e.dataTransfer.files[0]) send(e.dataTransfer.files[0]);
  });
  addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); });
})();
