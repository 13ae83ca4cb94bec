"use strict";
const el = (tag, text, cls) => Object.assign(document.createElement(tag), text == null ? {} : { textContent: text }, cls ? { className: cls } : {});
const add = (to, ...kids) => (to.append(...kids), to);

// The few signs of CommonMark that the description uses.
const inline = (to, text) => {
  for (const part of text.split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*]+\*)/)) {
    if (part.startsWith("`")) to.append(el("code", part.slice(1, -1)));
    else if (part.startsWith("**")) to.append(el("strong", part.slice(2, -2)));
    else if (part.startsWith("*") && part.length > 2) to.append(el("em", part.slice(1, -1)));
    else to.append(part);
  }
  return to;
};
const prose = (to, text) => {
  for (const block of (text || "").split(/\n\s*\n/)) {
    const lines = block.trim().split("\n").filter((l) => l);
    if (!lines.length) continue;
    if (/^#+ /.test(lines[0])) { to.append(inline(el("h3"), lines.shift().replace(/^#+ /, ""))); if (!lines.length) continue; }
    const item = /^(\d+\.|-) /;
    if (item.test(lines[0])) {
      const list = el(/^\d/.test(lines[0]) ? "ol" : "ul");
      for (const l of lines) if (item.test(l)) list.append(inline(el("li"), l.replace(item, ""))); else inline(list.lastChild, " " + l.trim());
      to.append(list);
    } else to.append(inline(el("p"), lines.join(" ")));
  }
  return to;
};

fetch("openapi.json").then((r) => r.json()).then((api) => {
  const deref = (x) => (x && x.$ref ? deref(x.$ref.slice(2).split("/").reduce((o, k) => o[k], api)) : x);
  const nameOf = (s) => {
    if (!s) return "";
    if (s.$ref) return s.$ref.split("/").pop();
    if (s.type === "array") return nameOf(s.items) + "[]";
    if (s.allOf) return s.allOf.map(nameOf).join(" & ");
    return [].concat(s.type || "").join(" | ") + (s.format ? ` (${s.format})` : "") + (s.enum ? ": " + s.enum.map((v) => JSON.stringify(v)).join(", ") : "");
  };
  const fields = (schema) => {
    const s = deref(schema) || {};
    const all = Object.assign({}, ...(s.allOf || []).map((x) => deref(x).properties || {}), s.properties || {});
    if (!Object.keys(all).length) return el("p", nameOf(schema), "d");
    const need = new Set([...(s.required || []), ...(s.allOf || []).flatMap((x) => deref(x).required || [])]);
    const t = el("table");
    for (const [k, v] of Object.entries(all))
      add(t, add(el("tr"), add(el("td"), el("code", k + (need.has(k) ? " *" : ""))), el("td", nameOf(v), "d"), inline(el("td"), v.description || (deref(v) || {}).description || "")));
    return t;
  };
  const intro = document.getElementById("intro");
  intro.replaceChildren();
  prose(intro, api.info.description);
  intro.append(add(el("p", "The description itself: "), Object.assign(el("a", "openapi.json"), { href: "openapi.json" })));
  const groups = {};
  for (const [path, ops] of Object.entries(api.paths))
    for (const [method, op] of Object.entries(ops))
      if (op.operationId) (groups[(op.tags || ["other"])[0]] ||= []).push([method.toUpperCase(), path, op]);
  const out = document.getElementById("ops");
  for (const [tag, ops] of Object.entries(groups)) {
    out.append(el("h2", tag));
    for (const [method, path, op] of ops) {
      const d = add(el("details"), add(el("summary"), el("span", method, "m"), el("code", path), el("span", op.summary || op.operationId, "d")));
      d.id = op.operationId;
      prose(d, op.description);
      const params = (op.parameters || []).map(deref);
      if (params.length) {
        const t = el("table");
        for (const p of params) add(t, add(el("tr"), add(el("td"), el("code", p.name + (p.required ? " *" : ""))), el("td", p.in + " " + nameOf(p.schema), "d"), inline(el("td"), p.description || "")));
        add(d, el("h4", "Parameters"), t);
      }
      const body = deref(op.requestBody);
      for (const [type, c] of Object.entries((body && body.content) || {})) {
        add(d, el("h4", "Body: " + type), fields(c.schema));
        const ex = c.example || Object.values(c.examples || {}).map((e) => deref(e).value)[0];
        if (ex) d.append(el("pre", JSON.stringify(ex, null, 2)));
      }
      for (const [status, r] of Object.entries(op.responses || {})) {
        const res = deref(r);
        add(d, el("h4", "Answer " + status), inline(el("p", null, "d"), res.description || ""));
        for (const c of Object.values(res.content || {})) if (c.schema) d.append(fields(c.schema));
      }
      if (op["x-codes"]) d.append(el("p", "Codes: " + op["x-codes"].join(", "), "d"));
      out.append(d);
    }
  }
  if (location.hash) document.getElementById(location.hash.slice(1))?.setAttribute("open", "");
}).catch((e) => { document.getElementById("intro").textContent = "openapi.json could not be read: " + e; });
