// A signed call through the gateway with Node's own modules. Usage: see README.md.
import crypto from "node:crypto";
import fs from "node:fs";
import https from "node:https";

const [gatewayUrl, ca, client, key, cert, gatewayCert, path, purpose, bodyFile] = process.argv.slice(2);
if (!purpose) {
  console.error("usage: node sample.mjs GATEWAY_URL CA CLIENT_ID KEY CERT GATEWAY_CERT PATH PURPOSE [BODYFILE]");
  process.exit(2);
}

const ALG = "ecdsa-p256-sha256";
const raw = (pem) => ({ key: fs.readFileSync(pem), dsaEncoding: "ieee-p1363" }); // r and s, not DER
const digest = (bytes) => `sha-256=:${crypto.createHash("sha256").update(bytes).digest("base64")}:`;
const keyid = (pem) =>
  crypto.createHash("sha256").update(new crypto.X509Certificate(fs.readFileSync(pem)).raw).digest("base64url");

// --- the request: what is sent is what is signed ---
const body = bodyFile ? fs.readFileSync(bodyFile) : null;
const method = body ? "POST" : "GET";
const target = gatewayUrl + path;
const fields = {
  "x-road-client": client,
  "x-road-id": crypto.randomUUID(),
  "motlan-purpose": purpose.startsWith('"') ? purpose : `"${purpose}"`,
  ...(process.env.OFFICER && { "x-road-userid": process.env.OFFICER }),
  ...(process.env.CASE && { "x-road-issue": process.env.CASE }),
  ...(body && { "content-type": "application/json", "content-digest": digest(body) }),
};
const values = { "@method": method, "@target-uri": target, ...fields };
const now = Math.floor(Date.now() / 1000);
const params =
  `(${Object.keys(values).map((name) => `"${name}"`).join(" ")});created=${now};expires=${now + 60}` +
  `;nonce="${crypto.randomBytes(24).toString("base64url")}";keyid="${keyid(cert)}";alg="${ALG}";tag="motlan-request"`;
const base = [...Object.entries(values).map(([name, value]) => `"${name}": ${value}`), `"@signature-params": ${params}`];
const signature = crypto.sign("sha256", Buffer.from(base.join("\n")), raw(key)).toString("base64");

// --- the answer ---
function verify(status, headers, content) {
  const need = (condition, what) => {
    if (!condition) throw new Error(what);
  };
  const members = [...(headers["signature-input"] ?? "").matchAll(/([a-z0-9_*.-]+)=(\(([^)]*)\)([^,]*))/g)];
  const member = members.find((found) => found[4].includes(';tag="motlan-response"'));
  need(member, "no signature of a gateway");
  const [, label, answerParams, list, rest] = member;
  need(rest.includes(`;keyid="${keyid(gatewayCert)}"`), "signed by another key");
  need(rest.includes(`;alg="${ALG}"`), "another algorithm");

  const covered = list.split(" ").filter(Boolean);
  const needed = ['"@status"', '"content-digest"', '"@method";req', '"@target-uri";req'];
  if (body) needed.push('"content-digest";req');
  for (const name of ["content-type", "content-encoding", "x-road-id", "x-road-client", "x-road-service",
    "x-road-request-id", "x-road-request-hash", "x-road-error", "motlan-outcome", "motlan-receipt"])
    if (name in headers) needed.push(`"${name}"`);
  // an error of the gateway may come without these two, if it could not read our signature
  if (status < 400 || !("x-road-error" in headers))
    needed.push('"signature-input";req;key="sig1"', '"signature";req;key="sig1"');
  for (const component of needed) need(covered.includes(component), `${component} is not covered`);

  const ours = {
    '"@status"': String(status),
    '"@method";req': method,
    '"@target-uri";req': target,
    '"content-digest";req': fields["content-digest"],
    '"signature-input";req;key="sig1"': params,
    '"signature";req;key="sig1"': `:${signature}:`,
  };
  const lines = covered.map((component) => {
    const value = ours[component] ?? headers[component.replaceAll('"', "")];
    need(value !== undefined, `unknown or absent component ${component}`);
    return `${component}: ${value}`;
  });
  lines.push(`"@signature-params": ${answerParams}`);
  const octets = (headers.signature ?? "").split(",").map((part) => part.trim()).find((part) => part.startsWith(`${label}=:`));
  need(octets, "no signature under that label");
  const sent = Buffer.from(octets.slice(label.length + 2, -1), "base64");
  need(crypto.verify("sha256", Buffer.from(lines.join("\n")), raw(gatewayCert), sent), "the signature is wrong");
  const age = Date.now() / 1000 - Number(/;created=(\d+)/.exec(rest)?.[1]);
  need(age < 360 && age > -60, "the answer is of another time");
  need(headers["content-digest"] === digest(content), "the body is another one");
}

const { protocol, hostname, port } = new URL(gatewayUrl);
const request = https.request(
  {
    protocol, hostname, port, path, method, ca: fs.readFileSync(ca),
    headers: {
      ...fields,
      ...(body && { "content-length": body.length }),
      "signature-input": `sig1=${params}`,
      signature: `sig1=:${signature}:`,
    },
  },
  async (answer) => {
    const chunks = [];
    for await (const chunk of answer) chunks.push(chunk);
    const content = Buffer.concat(chunks);
    try {
      verify(answer.statusCode, answer.headers, content);
    } catch (error) {
      console.error(`not verified: ${error.message}`);
      process.exit(2);
    }
    console.error(`verified: ${answer.statusCode}`);
    process.stdout.write(content, () => process.exit(answer.statusCode < 400 ? 0 : 1));
  },
);
request.on("error", (error) => {
  console.error(`not verified: no answer (${error.message})`);
  process.exit(2);
});
request.end(body ?? undefined);
