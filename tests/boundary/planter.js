'use strict';
// Plants a word of its own in every classified text that the API takes, by walking the schema, and
// says where each comes out. Nothing here knows a method or a field by name.
//
//   planter.js proxy FILE   stands between a client and the hub: every command that passes gets words
//                           in its texts, and the client sees answers without them. What was planted
//                           goes to FILE when it is told to end. Prints its port.
//   planter.js rest FILE    offers the hub, as every role, each command whose texts are not planted yet
//   planter.js walk FILE    calls every method that reads, as every role, and tells who saw which word,
//                           in answers and in refusals
//
// HUB_SERVER, HUB_PROTO (the folder of .proto files), TOKENS (a folder: a file for each role),
// NODE_MODULES (those of tests/foreign), HUB_DATES (the hub's date, and one to come).

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const from = (name) => require(path.join(process.env.NODE_MODULES, name));
const grpc = from('@grpc/grpc-js');
const protobuf = from('protobufjs');

const FORUM = 'forums/warwickshire';
const WORD = /[ -]?zq7kv[a-z2-7]{10}/g;
const root = new protobuf.Root();
root.resolvePath = (origin, target) => {
  if (!target.startsWith('google/')) return path.join(process.env.HUB_PROTO, target);
  const bundled = path.join(process.env.NODE_MODULES, 'protobufjs', target);
  return fs.existsSync(bundled) ? bundled : path.join('/usr/include', target);
};
const protos = fs
  .readdirSync(process.env.HUB_PROTO, { recursive: true })
  .filter((file) => file.endsWith('.proto'));
root.loadSync(protos, { keepCase: true });
root.resolveAll();

const optionsOf = (thing, name) =>
  Object.assign({}, ...(thing.parsedOptions ?? []).map((one) => one[name] ?? {}));
const fieldOption = (field) => optionsOf(field, '(options.v1.field)');
const list = (value) => (value === undefined || value === null ? [] : [].concat(value));
const nameOf = (type) => type.fullName.slice(1);

function each(namespace, kind) {
  return namespace.nestedArray.flatMap((one) => [
    ...(one instanceof kind ? [one] : []),
    ...(one.nestedArray ? each(one, kind) : []),
  ]);
}
const methods = each(root, protobuf.Service).flatMap((service) =>
  service.methodsArray.map((method) => ({
    service,
    name: method.name,
    path: `/${nameOf(service)}/${method.name}`,
    request: method.resolvedRequestType,
    response: method.resolvedResponseType,
    reads: !method.resolvedRequestType.fields.request_id, // whatever is a command has one
    roles: list(optionsOf(method, '(options.v1.method)').policy).flatMap((one) => list(one.roles)),
  })),
);

// Letters and digits that no other word of the hub has; a telephone number has its digits alone.
function wordOf(field) {
  const bytes = crypto.createHash('sha256').update(`${nameOf(field.parent)}.${field.name}`).digest();
  if (fieldOption(field).format === 'PHONE') {
    return `7${(bytes.readBigUInt64BE() % 1000000000n).toString().padStart(9, '0')}`;
  }
  return `zq7kv${[...bytes.subarray(0, 10)].map((n) => 'abcdefghijklmnopqrstuvwxyz234567'[n % 32]).join('')}`;
}

// A text that the field takes and that has its word; null where it takes none.
function planted(field, value) {
  const option = fieldOption(field);
  const word = wordOf(field);
  if (!option.sensitivity || option.reference || option.computed || option.output_only) return null;
  const most = option.max_len ?? 200;
  const at = (joint) => (value ? value.slice(0, most - word.length - 1) + joint : '') + word;
  switch (option.format) {
    case undefined:
      return most < word.length ? null : at(' ');
    case 'SLUG':
      return at('-');
    case 'EMAIL':
      return `${word}.${crypto.createHash('sha256').update(value).digest('hex').slice(0, 8)}@example.net`;
    case 'PHONE':
      return `+44 ${word}`;
    case 'URL':
      return `${value || 'https://example.net'}/${word}`;
    default:
      return null;
  }
}

const isText = (field) => field.type === 'string' && planted(field, '') !== null;

// Calls `each` for every classified field of a message that may hold a text, also in messages in it.
function walk(type, message, visit, deep = 0) {
  for (const field of type.fieldsArray) {
    const inner = field.resolvedType instanceof protobuf.Type ? field.resolvedType : null;
    if (inner && inner.fullName.startsWith('.coproduction')) {
      if (deep > 4 || fieldOption(field).output_only) continue;
      for (const one of list(message?.[field.name])) walk(inner, one, visit, deep + 1);
    } else if (field.type === 'string' && !field.map) {
      visit(field, message);
    }
  }
}

// Puts words into a request; returns what was put. `skip` holds names of fields to be left alone.
function plant(type, message, empty, skip) {
  const put = new Map();
  walk(type, message, (field, holder) => {
    if (skip.has(field.name) || untouched.has(`${nameOf(field.parent)}.${field.name}`)) return;
    const text = (value) => (value || empty ? planted(field, value ?? '') : null);
    if (field.repeated) {
      const values = list(holder[field.name]).map((value) => text(value) ?? value);
      if (values.length === 0 || !planted(field, 'x')) return;
      holder[field.name] = values;
    } else {
      const value = text(holder[field.name]);
      if (value === null) return;
      holder[field.name] = value;
    }
    put.set(`${nameOf(field.parent)}.${field.name}`, wordOf(field));
  });
  return put;
}

function without(type, message) {
  for (const field of type.fieldsArray) {
    const value = message[field.name];
    const clean = (one) =>
      field.resolvedType instanceof protobuf.Type
        ? (one && without(field.resolvedType, one), one)
        : typeof one === 'string'
          ? one.replace(WORD, '')
          : one;
    if (field.map || value === null || value === undefined) continue;
    if (Array.isArray(value)) value.forEach((one, n) => (value[n] = clean(one)));
    else if (Object.hasOwn(message, field.name)) message[field.name] = clean(value);
  }
}

// What a client's later calls rest on passes the proxy as it is.
const untouched = new Set((process.env.UNTOUCHED ?? '').split(',').filter(Boolean));

const raw = (bytes) => bytes;
const client = new grpc.Client(process.env.HUB_SERVER, grpc.credentials.createInsecure(), {
  'grpc.max_receive_message_length': 64 << 20,
});
function send(method, bytes, metadata) {
  return new Promise((resolve) => {
    const deadline = Date.now() + 30000;
    client.makeUnaryRequest(method.path, raw, raw, bytes, metadata, { deadline }, (error, answer) =>
      resolve({ error, answer }),
    );
  });
}

// Sends a command with as many words as it takes.
async function sendPlanted(method, bytes, metadata, record) {
  const skip = new Set();
  let empty = true;
  for (let attempt = 0; ; ++attempt) {
    const message = method.request.decode(bytes);
    const put = attempt < 7 ? plant(method.request, message, empty, skip) : new Map();
    const sent = put.size ? Buffer.from(method.request.encode(message).finish()) : bytes;
    const got = await send(method, sent, metadata);
    if (!got.error) {
      for (const [field, word] of put) record.set(field, word);
      return got;
    }
    if (put.size === 0) return got;
    const text = got.error.details ?? '';
    const named = [...put.keys()]
      .map((field) => field.split('.').pop())
      .filter((field) => new RegExp(`\\b${field}\\b`).test(text));
    if (named.length && attempt < 5) named.forEach((field) => skip.add(field));
    else if (empty) empty = false;
    else attempt = 6;
  }
}

async function proxy(file) {
  const record = new Map();
  const server = new grpc.Server({ 'grpc.max_receive_message_length': 64 << 20 });
  for (const service of each(root, protobuf.Service)) {
    const definition = {};
    const handlers = {};
    for (const method of methods.filter((one) => one.service === service)) {
      definition[method.name] = {
        path: method.path,
        requestStream: false,
        responseStream: false,
        requestSerialize: raw,
        requestDeserialize: raw,
        responseSerialize: raw,
        responseDeserialize: raw,
      };
      handlers[method.name] = async (call, callback) => {
        const metadata = new grpc.Metadata();
        metadata.set('authorization', String(call.metadata.get('authorization')[0] ?? ''));
        const got = method.reads
          ? await send(method, call.request, metadata)
          : await sendPlanted(method, call.request, metadata, record);
        if (got.error) return callback(got.error);
        const answer = method.response.decode(got.answer);
        without(method.response, answer);
        return callback(null, Buffer.from(method.response.encode(answer).finish()));
      };
    }
    server.addService(definition, handlers);
  }
  const credentials = grpc.ServerCredentials.createInsecure();
  const port = await new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, n) => (error ? reject(error) : resolve(n))),
  );
  console.log(port);
  process.on('SIGTERM', () => {
    keep(file, { planted: Object.fromEntries(record) });
    process.exit(0);
  });
}

// ---- as every role ----

const tokens = () =>
  Object.fromEntries(
    fs.readdirSync(process.env.TOKENS).map((word) => {
      const metadata = new grpc.Metadata();
      const token = fs.readFileSync(path.join(process.env.TOKENS, word), 'utf8').trim();
      metadata.set('authorization', `Bearer ${token}`);
      return [word, metadata];
    }),
  );

const resources = each(root, protobuf.Type)
  .map((type) => ({ type, ...optionsOf(type, '(options.v1.resource)') }))
  .filter((one) => one.pattern);

function wordsIn(bytes) {
  const text = Buffer.from(bytes).toString('latin1');
  return new Set([...(text.match(/zq7kv[a-z2-7]{10}/g) ?? []), ...(text.match(/(?<=\+44 )7\d{9}/g) ?? [])]);
}

// Every record's name, by its pattern's collection, from what all roles may list.
async function namesOf(roles, seen = () => {}) {
  const names = {};
  for (const method of methods.filter((one) => one.name.startsWith('List') && one.request.fields.parent)) {
    for (const [role, metadata] of Object.entries(roles)) {
      let token = '';
      for (let page = 0; page < 4; ++page) {
        const request = { parent: FORUM, page_size: 500, page_token: token };
        const bytes = method.request.encode(method.request.fromObject(request)).finish();
        const got = await send(method, Buffer.from(bytes), metadata);
        seen(method, role, got);
        if (got.error) break;
        const answer = method.response.decode(got.answer);
        const items = method.response.fieldsArray.find((field) => field.repeated);
        for (const one of answer[items.name]) {
          if (!one.name) continue;
          const kind = nameOf(items.resolvedType);
          (names[kind] ??= new Set()).add(one.name);
        }
        token = answer.next_page_token ?? '';
        if (!token) break;
      }
    }
  }
  // Reps first: they have the records of their own that others have not.
  const people = ['.Rep', '.Member'].flatMap((end) => [
    ...(names[Object.keys(names).find((kind) => kind.endsWith(end))] ?? []),
  ]);
  for (const one of resources) {
    const kind = nameOf(one.type);
    if (!/\/\{[a-z_]+\}$/.test(one.pattern)) names[kind] = new Set([one.pattern.replace('forums/{forum}', FORUM)]);
    else if (one.own === 'name' || one.subject_key === 'name') {
      const at = one.pattern.replace('forums/{forum}', FORUM).replace(/\{[a-z_]+\}$/, '');
      for (const person of people) (names[kind] ??= new Set()).add(at + person.split('/').pop());
    }
    if (one.pattern === 'forums/{forum}') names[kind] = new Set([FORUM]);
  }
  return names;
}

async function walkAll(file) {
  const roles = tokens();
  const sightings = {}; // word: role: methods
  const refusals = {}; // word: role: methods
  let calls = 0;
  let refused = 0;
  const seen = (method, role, got) => {
    ++calls;
    const into = got.error ? refusals : sightings;
    refused += got.error ? 1 : 0;
    const said = got.error
      ? Buffer.concat([
          Buffer.from(`${got.error.details} `),
          ...Object.values(got.error.metadata?.getMap() ?? {}).map((value) => Buffer.from(value)),
        ])
      : got.answer;
    for (const word of wordsIn(said)) ((into[word] ??= {})[role] ??= new Set()).add(method.name);
  };
  const names = await namesOf(roles, seen);
  for (const method of methods.filter((one) => one.reads && one.request.fields.name)) {
    const kind = nameOf(method.response);
    const some = [...(names[kind] ?? [])];
    const ones = some.length > 14 ? [...some.slice(0, 7), ...some.slice(-7)] : some;
    for (const name of [...ones, `${FORUM}/nothing/here`]) {
      const bytes = Buffer.from(method.request.encode({ name }).finish());
      for (const [role, metadata] of Object.entries(roles)) seen(method, role, await send(method, bytes, metadata));
    }
  }
  // Every command, refused: it is of no etag that is, and says nothing of what is asked.
  for (const method of methods.filter((one) => !one.reads && one.request.fields.name)) {
    for (const name of [...(names[nameOf(method.response)] ?? [])].slice(0, 2)) {
      const request = { name, etag: '"999999"', request_id: crypto.randomUUID() };
      const bytes = Buffer.from(method.request.encode(method.request.fromObject(request)).finish());
      for (const [role, metadata] of Object.entries(roles)) {
        const got = await send(method, bytes, metadata);
        if (got.error) seen(method, role, got);
      }
    }
  }
  const told = (all) =>
    Object.fromEntries(
      Object.entries(all).map(([word, by]) => [
        word,
        Object.fromEntries(Object.entries(by).map(([role, at]) => [role, [...at].sort()])),
      ]),
    );
  keep(file, { calls, refused, sightings: told(sightings), refusals: told(refusals) });
}

// ---- what no play has planted ----

const DATES = (process.env.HUB_DATES ?? '').split(',');

// The first record, the last, the second, the last but one ...
function pick(names, n) {
  const known = [...(names ?? [])];
  return known[n % 2 ? known.length - 1 - ((n >> 1) % known.length) : (n >> 1) % Math.max(known.length, 1)] ?? '';
}

function example(type, names, n, deep = 0) {
  const message = {};
  for (const field of type.fieldsArray) {
    const option = fieldOption(field);
    if (option.output_only || option.computed || field.map || deep > 3) continue;
    let value;
    const chosen = field.resolvedType instanceof protobuf.Enum || option.reference;
    if (chosen && !option.required && n % 4 > 1) continue; // rules may want it or not
    if (field.resolvedType instanceof protobuf.Enum) {
      const values = Object.values(field.resolvedType.values).filter((one) => one > 0);
      value = values[n % values.length];
    } else if (field.resolvedType instanceof protobuf.Type) {
      if (!field.resolvedType.fullName.startsWith('.coproduction')) continue;
      value = example(field.resolvedType, names, n, deep + 1);
    } else if (option.reference) {
      value = pick(names[option.reference], n);
      if (!value) continue;
    } else if (field.type === 'string') {
      if (option.format === 'DATE') value = DATES[(n < 10 ? n : n + 1) % DATES.length]; // in time each date with each record
      else if (option.format === 'TIME_OF_DAY') value = '11:00';
      else if (option.format === 'UUID') value = crypto.randomUUID();
      else value = planted(field, '');
      if (!value) continue;
    } else if (/int/.test(field.type)) {
      value = Number(option.min ?? 0) || 1;
    } else if (field.type === 'bool') {
      continue;
    } else {
      continue;
    }
    message[field.name] = field.repeated ? [value] : value;
  }
  return message;
}

async function rest(file) {
  const before = JSON.parse(fs.readFileSync(file, 'utf8'));
  const record = new Map(Object.entries(before.planted));
  const roles = tokens();
  const names = await namesOf(roles);
  const missing = (type) => {
    const wanted = new Set();
    const look = (one, deep) => {
      for (const field of one.fieldsArray) {
        if (fieldOption(field).output_only || fieldOption(field).computed) continue;
        const inner = field.resolvedType;
        const ours = inner instanceof protobuf.Type && inner.fullName.startsWith('.coproduction');
        if (ours && deep < 4) look(inner, deep + 1);
        else if (isText(field)) {
          const key = `${nameOf(field.parent)}.${field.name}`;
          if (!record.has(key)) wanted.add(key);
        }
      }
    };
    look(type, 0);
    return wanted;
  };
  const words = new Set();
  // What is in its first state takes commands that what was played to its end does not.
  for (const method of methods.filter((one) => one.name.startsWith('Create'))) {
    const kind = nameOf(method.response);
    const may = Object.keys(roles).filter((word) => method.roles.includes(roleOf(word)));
    for (let made = false, n = 0; !made && n < 8; ++n) {
      for (const word of made ? [] : may) {
        const message = { ...example(method.request, names, n), request_id: crypto.randomUUID() };
        if (method.request.fields.parent) message.parent = FORUM;
        const bytes = Buffer.from(method.request.encode(method.request.fromObject(message)).finish());
        const got = await sendPlanted(method, bytes, roles[word], record);
        if (got.error) {
          words.add(`${method.name}: ${got.error.details}`);
          continue;
        }
        names[kind] = new Set([method.response.decode(got.answer).name, ...(names[kind] ?? [])]);
        made = true;
        break;
      }
    }
  }
  for (const method of methods.filter((one) => !one.reads)) {
    const may = Object.keys(roles).filter((word) => method.roles.includes(roleOf(word)));
    for (let n = 0; n < 20 && missing(method.request).size > 0; ++n) {
      for (const word of may) {
        const message = example(method.request, names, n);
        const body = method.request.fieldsArray.find(
          ({ resolvedType: type }) =>
            type instanceof protobuf.Type && optionsOf(type, '(options.v1.resource)').pattern,
        );
        if (method.request.fields.parent) message.parent = FORUM;
        if (method.request.fields.request_id) message.request_id = crypto.randomUUID();
        const kind = body ? nameOf(body.resolvedType) : nameOf(method.response);
        if (method.request.fields.name) message.name = pick(names[kind], n);
        if (body && method.request.fields.update_mask) {
          message[body.name] = message[body.name] ?? {};
          message[body.name].name = pick(names[kind], n);
          const texts = body.resolvedType.fieldsArray.filter((field) => isText(field) && !fieldOption(field).immutable);
          for (const key of Object.keys(message[body.name])) {
            if (key !== 'name' && !texts.some((field) => field.name === key)) delete message[body.name][key];
          }
          // One field at a time, for one that is refused must not keep the others out.
          for (const field of texts) {
            if (record.has(`${nameOf(field.parent)}.${field.name}`)) continue;
            const text = planted(field, '');
            const request = {
              ...message,
              request_id: crypto.randomUUID(),
              [body.name]: { name: message[body.name].name, [field.name]: field.repeated ? [text] : text },
              update_mask: { paths: [field.name] },
            };
            const bytes = Buffer.from(method.request.encode(method.request.fromObject(request)).finish());
            const got = await send(method, bytes, roles[word]);
            if (!got.error) record.set(`${nameOf(field.parent)}.${field.name}`, wordOf(field));
            else words.add(`${method.name} ${field.name}: ${got.error.details}`);
          }
          continue;
        }
        const bytes = Buffer.from(method.request.encode(method.request.fromObject(message)).finish());
        const got = await sendPlanted(method, bytes, roles[word], record);
        if (got.error) words.add(`${method.name}: ${got.error.details}`);
        else break;
      }
    }
  }
  keep(file, { planted: Object.fromEntries(record), refusals: [...words] });
}

const roleOf = (word) =>
  word.split(':')[0].replace(/^health_/, '').toUpperCase();

// ---- the schema, as the searches need it ----

// Who may see a field, by the table of visibility: side, and roles of it, none for all.
const lines = (root.lookup('coproduction.options.v1').parsedOptions ?? [])
  .map((one) => one['(visible)'])
  .filter(Boolean)
  .map((one) => ({
    sensitivity: list(one.sensitivity),
    controller: list(one.controller),
    to: one.to,
    roles: list(one.roles),
  }));

// What a request says of a field, the record that it becomes may say otherwise.
function optionOfRecord(type, name, method) {
  if (optionsOf(type, '(options.v1.resource)').pattern) return null;
  const has = (one) => optionsOf(one, '(options.v1.resource)').pattern && one.fields[name];
  const answers = methods.filter((one) => one.service === method.service).map((one) => one.response);
  const inPackage = resources.map((one) => one.type).filter((one) => one.parent === type.parent && has(one));
  const record = answers.find(has) ?? (inPackage.length === 1 ? inPackage[0] : undefined);
  return record ? fieldOption(record.fields[name]) : null;
}

function universe() {
  const fields = {};
  const kinds = {};
  const visited = new Set();
  const look = (type, service, method) => {
    if (visited.has(type)) return;
    visited.add(type);
    for (const field of type.fieldsArray) {
      const option = fieldOption(field);
      if (option.output_only || option.computed) continue;
      const inner = field.resolvedType;
      if (inner instanceof protobuf.Type && inner.fullName.startsWith('.coproduction')) {
        look(inner, service, method);
        continue;
      }
      if (!option.sensitivity) continue;
      const key = `${nameOf(type)}.${field.name}`;
      if (isText(field)) {
        const stored = optionOfRecord(type, field.name, method) ?? option;
        fields[key] = {
          word: wordOf(field),
          service,
          sensitivity: stored.sensitivity,
          controller: stored.controller,
          readers: list(stored.readers),
        };
      } else {
        const kind =
          inner instanceof protobuf.Enum
            ? 'an enum'
            : option.reference
              ? 'a name of a record'
              : field.type === 'string'
                ? `a ${(option.format ?? 'short text').toLowerCase()}`
                : `a ${field.type}`;
        kinds[kind] = (kinds[kind] ?? 0) + 1;
      }
    }
  };
  for (const method of methods.filter((one) => !one.reads)) {
    look(method.request, nameOf(method.service).split('.')[1], method);
  }
  return { fields, kinds, lines, packages: packages() };
}

// Which service's tables a field may stand in, and the tables.
function packages() {
  return Object.fromEntries(resources.map((one) => [one.table, nameOf(one.type).split('.')[1]]));
}

function keep(file, what) {
  fs.writeFileSync(file, JSON.stringify(what, null, 1));
}

const [, , command, file] = process.argv;
const commands = { proxy, rest, walk: walkAll, schema: (to) => keep(to, universe()) };
(async () => {
  await commands[command](file);
  if (command !== 'proxy') process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
