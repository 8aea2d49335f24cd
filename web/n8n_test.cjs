// Runs n8n's Hunter node, unchanged, in place of n8n: what n8n gives a node is made here, and what goes to https://api.hunter.io
// goes to BASE. Prints what the node's operations gave as JSON.
// usage: node n8n_test.cjs PACKAGE BASE KEY
const [pkg, base, key] = process.argv.slice(2);
const path = require("path");
const Module = require("module");

// Of the package n8n-workflow the node uses a constant and one kind of error.
class NodeApiError extends Error {
  constructor(node, cause) {
    super(cause.message);
    Object.assign(this, { node, httpCode: String(cause.statusCode), answer: cause.error });
  }
}
const load = Module._load;
Module._load = function (name, ...rest) {
  return name === "n8n-workflow" ? { NodeApiError, NodeConnectionTypes: { Main: "main" } } : load.call(this, name, ...rest);
};
const { Hunter } = require(path.join(pkg, "dist/nodes/Hunter/Hunter.node.js"));

// n8n's helpers.request: qs into the address, JSON out, statuses from 400 on thrown.
const asked = [];
async function request({ method, uri, qs, body, json }) {
  if (!uri.startsWith("https://api.hunter.io/v2/") || !json || body) throw new Error("unexpected request to " + uri);
  const query = new URLSearchParams(Object.entries(qs).filter(([, v]) => v !== undefined));
  asked.push(method + " " + uri.slice("https://api.hunter.io".length) + " " + [...query.keys()].join(","));
  const r = await fetch(base + uri.slice("https://api.hunter.io".length) + "?" + query, { method, headers: { accept: "application/json" } });
  const said = await r.json();
  if (!r.ok) throw Object.assign(new Error(r.status + " - " + JSON.stringify(said)), { statusCode: r.status, error: said });
  return said;
}

function run(parameters, apiKey = key) {
  return new Hunter().execute.call({
    getInputData: () => [{ json: {} }],
    getNodeParameter: (name, _, otherwise) => parameters[name] ?? otherwise,
    getCredentials: async () => ({ apiKey }),
    getNode: () => ({ name: "Hunter" }),
    continueOnFail: () => false,
    helpers: { request, returnJsonArray: (d) => (Array.isArray(d) ? d : [d]).map((json) => ({ json })), constructExecutionMetaData: (items) => items },
  });
}

(async () => {
  const out = {};
  const search = { operation: "domainSearch", domain: "onegate.example", filters: {}, limit: 10, returnAll: false, onlyEmails: false };
  for (const [name, parameters, apiKey] of [
    ["finder", { operation: "emailFinder", domain: "onegate.example", firstname: "Grace", lastname: "Yates" }],
    ["verifier", { operation: "emailVerifier", email: "grace.yates@onegate.example" }],
    ["search", search],
    ["emails", { ...search, onlyEmails: true }],
    ["all", { ...search, returnAll: true }],
    ["filtered", { ...search, onlyEmails: true, filters: { type: "personal", seniority: ["junior", "senior"], department: ["it", "hr"] } }],
    ["missing", { operation: "emailFinder", domain: "onegate.example", firstname: "Grace", lastname: "" }],
    ["stranger", search, "no such key"],
  ]) {
    try {
      out[name] = { items: (await run(parameters, apiKey))[0].map((i) => i.json) };
    } catch (problem) {
      out[name] = { http: problem.httpCode, answer: problem.answer, error: problem.message };
    }
  }
  console.log(JSON.stringify({ out, asked }));
})();
