'use strict';
// An outside caller at the hub's gRPC door who makes tokens too, good and forged, by a library that is
// not the hub's: tests/boundary/{tokens,policy} drive it, a JSON object a line each way.
//
//   {"do": "key", "name", "kind": "RSA|PSS|EC|ED", "kid", "pem": FILE or none}     -> its public JWK
//   {"do": "call", "method": "scheduling.Requests.ListRequests", "request", "token": RECIPE or none,
//    "server", "tls": {"authority", "certificate", "key"} or none, "name": of the server,
//    "within": ms or none, "times": n, "at_once": bool, "keep": the connection}  -> an outcome a call
//   {"do": "race", "calls": [A, B, ...], "times": n}: each in turn, in an order that is drawn anew
//                                                 -> of each its times in microseconds, and outcome
//   {"do": "mint", "token": RECIPE}               -> the token
//   {"do": "methods"}          -> of each its fields and what it returns, by 'scheduling.Requests.ListRequests'
//
// In a request, $ID is a new UUID. A recipe: {"key", "header", "claims", "forged": "none|hs256|unsigned" or none, "append"}; what the
// header and the claims say goes over what the key says, and null takes it out.

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');

const foreign = path.join(__dirname, '../foreign/node_modules');
const grpc = require(path.join(foreign, '@grpc/grpc-js'));
const loader = require(path.join(foreign, '@grpc/proto-loader'));

const protos = path.join(__dirname, '../../proto');
const definition = loader.loadSync(
  fs.readdirSync(protos, { recursive: true }).filter((file) => file.endsWith('.proto')),
  { includeDirs: [protos, '/usr/include'], keepCase: true, longs: String, enums: String, defaults: true,
    oneofs: true },
);
const packages = grpc.loadPackageDefinition(definition).coproduction;

// ---- tokens ----

const keys = {};
const KINDS = {
  RSA: ['RS256', 'rsa', { modulusLength: 2048 }],
  PSS: ['PS256', 'rsa', { modulusLength: 2048 }],
  EC: ['ES256', 'ec', { namedCurve: 'P-256' }],
  ED: ['EdDSA', 'ed25519', {}],
};

function makeKey({ name, kind, kid, pem }) {
  const [alg, type, options] = KINDS[kind];
  const { publicKey, privateKey } = crypto.generateKeyPairSync(type, options);
  keys[name] = { kid, alg, publicKey, privateKey };
  if (pem) fs.writeFileSync(pem, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

function signature({ alg, privateKey }, text) {
  if (alg === 'EdDSA') return crypto.sign(null, text, privateKey);
  const how = { key: privateKey };
  if (alg === 'ES256') how.dsaEncoding = 'ieee-p1363';
  if (alg === 'PS256') {
    how.padding = crypto.constants.RSA_PKCS1_PSS_PADDING;
    how.saltLength = crypto.constants.RSA_PSS_SALTLEN_DIGEST;
  }
  return crypto.sign('sha256', text, how);
}

function mint({ key, header = {}, claims = {}, forged, append = '' }) {
  const pair = keys[key];
  const said = { alg: pair.alg, kid: pair.kid, typ: 'JWT', ...header };
  const part = (object) => {
    const kept = Object.entries(object).filter(([, value]) => value !== null);
    return Buffer.from(JSON.stringify(Object.fromEntries(kept))).toString('base64url');
  };
  const text = `${part(said)}.${part(claims)}`;
  if (forged === 'none') return `${text}.`;
  if (forged === 'unsigned') return text;
  if (forged === 'hs256') {
    const secret = pair.publicKey.export({ type: 'spki', format: 'pem' });
    return `${text}.${crypto.createHmac('sha256', secret).update(text).digest('base64url')}`;
  }
  return `${text}.${signature(pair, Buffer.from(text)).toString('base64url')}${append}`;
}

// ---- calls ----

const decode = (name, bytes) => definition[`coproduction.errors.v1.${name}`].deserialize(bytes);

// What a refusal says, and after how many milliseconds to come again.
function outcomeOf(error, answer) {
  if (!error) return { code: 'OK', answer };
  // `said`: all that leaves the hub with it.
  const all = Object.entries(error.metadata?.getMap() ?? {}).map(([name, value]) => `${name}: ${value.toString('latin1')}`);
  const said = [error.code, error.details, ...all.sort()].join('\n');
  const found = { code: grpc.status[error.code], reason: '', words: error.details, said };
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  if (bytes === undefined) return found;
  for (const { type_url: type, value } of decode('RpcStatus', bytes).details ?? []) {
    if (type.endsWith('google.rpc.ErrorInfo')) Object.assign(found, decode('ErrorInfo', value));
    if (type.endsWith('google.rpc.RetryInfo')) {
      const { seconds, nanos } = decode('RetryInfo', value).retry_delay ?? {};
      found.retry_ms = Number(seconds ?? 0) * 1000 + (nanos ?? 0) / 1e6;
    }
  }
  return found;
}

const read = (file) => (file ? fs.readFileSync(file) : null);

const kept = {};

function connect({ method, server, tls, name, keep }) {
  const [group, service, verb] = method.split('.');
  if (keep && kept[service + group + server]) return [kept[service + group + server], verb];
  const credentials = tls
    ? grpc.credentials.createSsl(read(tls.authority), read(tls.key), read(tls.certificate))
    : grpc.credentials.createInsecure();
  // One that is kept serves all services of its server.
  const options = { 'grpc.use_local_subchannel_pool': keep ? 0 : 1, 'grpc.enable_retries': 0 };
  if (name) options['grpc.ssl_target_name_override'] = name;
  const client = new packages[group].v1[service](server, credentials, options);
  if (keep) kept[service + group + server] = client;
  return [client, verb];
}

function once([client, verb], { request = {}, within }, token) {
  const metadata = new grpc.Metadata();
  if (token) metadata.set('authorization', `Bearer ${token}`);
  const how = within ? { deadline: Date.now() + within } : {};
  const wanted = JSON.parse(JSON.stringify(request).replaceAll('$ID', () => crypto.randomUUID()));
  return new Promise((resolve) =>
    client[verb](wanted, metadata, how, (error, answer) => resolve(outcomeOf(error, answer))),
  );
}

async function call(asked) {
  const { token, times = 1, at_once, keep } = asked;
  const way = connect(asked);
  const minted = token && (typeof token === 'string' ? token : mint(token));
  const outcomes = [];
  if (at_once) {
    outcomes.push(...(await Promise.all(Array.from({ length: times }, () => once(way, asked, minted)))));
  } else {
    for (let i = 0; i < times; i++) outcomes.push(await once(way, asked, minted));
  }
  if (!keep) way[0].close();
  return outcomes;
}

async function race({ calls, times }) {
  const runs = calls.map((asked) => ({ way: connect({ ...asked, keep: true }), asked, took: [], outcome: null }));
  for (let round = -10; round < times; ++round) {
    const drawn = runs.map((run) => [Math.random(), run]).sort(([a], [b]) => a - b);
    for (const [, run] of drawn) {
      const began = process.hrtime.bigint();
      run.outcome = await once(run.way, run.asked, run.asked.token);
      if (round >= 0) run.took.push(Number(process.hrtime.bigint() - began) / 1000);
    }
  }
  return runs.map(({ took, outcome }) => ({ took, outcome }));
}

function methods() {
  const found = {};
  for (const [name, service] of Object.entries(definition)) {
    const [ours, group, version, noun] = name.split('.');
    if (ours !== 'coproduction' || version !== 'v1' || service.type || service.format) continue;
    for (const [verb, method] of Object.entries(service)) {
      found[`${group}.${noun}.${verb}`] = {
        fields: method.requestType.type.field.map((field) => field.name),
        types: Object.fromEntries(method.requestType.type.field.map((field) => [field.name, field.typeName])),
        answers: method.responseType.type.field.map((field) => field.name),
        returns: method.responseType.type.name,
        first: method.responseType.type.field[0]?.typeName ?? '',
      };
    }
  }
  return found;
}

async function answer(line) {
  const asked = JSON.parse(line);
  if (asked.do === 'key') return makeKey(asked);
  if (asked.do === 'mint') return mint(asked.token);
  if (asked.do === 'race') return race(asked);
  if (asked.do === 'methods') return methods();
  return call(asked);
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { id } = JSON.parse(line);
  answer(line).then(
    (done) => console.log(JSON.stringify({ id, done })),
    (error) => console.log(JSON.stringify({ id, failed: String(error.stack) })),
  );
});
