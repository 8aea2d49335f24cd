// Runs the two npm clients of Hunter's API, unchanged but for where api.hunter.io is, and prints what they got as JSON.
// usage: node hunter_clients.cjs NODE_MODULES BASE KEY BADKEY
const [modules, base, key, badKey] = process.argv.slice(2);
const path = require("path");
const load = (name) => require(path.join(modules, name));
const out = {};
const done = (client, call) => (err, body) => { (out[client] ??= {})[call] = err ? { failed: err } : body; };
const asked = { domain: "onegate.example", first_name: "Grace", last_name: "Yates" };

// What goes to https://api.hunter.io goes to base: the hosts file of this process, as it were.
const http = require("http");
const https = require("https");
const to = new URL(base);
https.request = (options, answered) => {
  if (!String(options.hostname ?? options.host).startsWith("api.hunter.io")) throw new Error("asked " + (options.hostname ?? options.host));
  const headers = { ...options.headers, host: to.host };
  return http.request({ method: options.method, path: options.path, headers, hostname: to.hostname, port: to.port }, answered);
};
const SDK = load("hunterio");
const EmailHunter = load("hunter.io").default ?? load("hunter.io");

(async () => {
  const call = (client, name, ...args) => new Promise((end) => client[name](...args, (err, body) => end([err, body])));
  for (const [label, k] of [["good", key], ["bad", badKey]]) {
    const one = new SDK(k);
    const two = new EmailHunter(k);
    for (const [name, args, twoArgs] of [
      ["emailFinder", [asked], [asked]], ["emailVerifier", [{ email: "grace.yates@onegate.example" }], ["grace.yates@onegate.example"]],
      ["domainSearch", [{ domain: "onegate.example" }], [{ domain: "onegate.example" }]], ["emailCount", [{ domain: "onegate.example" }], ["onegate.example"]],
      ["account", [{}], []],
    ]) {
      done("hunterio " + label, name)(...(await call(one, name, ...args)));
      done("hunter.io " + label, name)(...(await call(two, name, ...twoArgs)));
    }
    done("hunterio " + label, "wrong")(...(await call(one, "emailFinder", { domain: "onegate.example" })));
    done("hunter.io " + label, "wrong")(...(await call(two, "emailFinder", { domain: "onegate.example" })));
  }
  console.log(JSON.stringify(out));
})();
