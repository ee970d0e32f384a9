"use strict";
// Shows what has every word and every choice; the address keeps them, so that a search can be sent on.
(() => {
  const form = document.getElementById("filters"), count = document.getElementById("count");
  const few = 60, more = document.getElementById("more"), none = document.getElementById("none"), list = document.getElementById("records");
  const fields = [...form.elements].filter((field) => field.name);
  const plain = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  const rows = [...list.children].map((row) => ({ row, text: plain(`${row.textContent} ${row.dataset.id}`), data: row.dataset }));
  const names = { claim: ["claim", "claims"], synthesis: ["synthesis", "syntheses"], study: ["study", "studies"] };

  const has = (item, field) => !field.value || (item.data[field.name] || "").split(" ").includes(field.value);

  function show() {
    const choices = fields.filter((field) => field.name !== "words" && field.value);
    const words = plain(form.elements.words.value).split(/\s+/).filter(Boolean);
    const shown = rows.filter((item) =>
      choices.every((field) => has(item, field)) && words.every((word) => item.text.includes(word)));
    const found = { claim: 0, synthesis: 0, study: 0 };
    for (const item of shown) found[item.data.kind] += 1;
    list.replaceChildren(...shown.slice(0, few).map((item) => item.row));
    more.hidden = shown.length <= few;
    more.textContent = `Show the other ${shown.length - few}`;
    more.onclick = () => {
      list.append(...shown.slice(few).map((item) => item.row));
      more.hidden = true;
      shown[few].row.querySelector("a").focus();
    };
    const said = Object.keys(found).filter((kind) => found[kind]);
    count.textContent = said.map((kind) => `${found[kind]} ${names[kind][found[kind] === 1 ? 0 : 1]}`).join(", ") || "0 records";
    none.hidden = said.length > 0;
  }

  function keep() {
    const asked = new URLSearchParams(fields.filter((field) => field.value).map((field) => [field.name, field.value]));
    history.replaceState(null, "", `${location.pathname}${String(asked) && "#"}${asked}`);
  }

  function read() {
    const asked = new URLSearchParams(location.hash.slice(1));
    for (const field of fields) field.value = asked.get(field.name) || "";
    show();
  }

  form.addEventListener("input", () => { show(); keep(); });
  form.addEventListener("reset", () => setTimeout(() => { show(); keep(); }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const first = list.querySelector("a");
    if (first) first.focus();
  });
  addEventListener("hashchange", read);
  form.hidden = false;
  read();
})();
