'use strict';
// A forum's membership platform that keeps all members in step by the contract: of each event about a
// member it asks the hub who that is now, keeps the answer, and then acknowledges. platform_python.py is
// the same by other libraries. Its store is a file to which each event appends one line.
//   node platform_node.js [--planted]   runs until it is ended; --planted acknowledges before it keeps
//   node platform_node.js --show        prints its copy
// PLATFORM_DIE_AFTER=N:POINT kills it, -9, at the N-th message or the first after it that comes to that
// point between fetch and acknowledgement: 'fetched', 'asked' (not kept yet) or 'kept'.

const fs = require('node:fs');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const { FORUM, call } = require('./requester');
const { FOLDER, Tenant, toCloudEvent } = require('./subscriber');

const AS = 'membership_platform';
const STORE = path.join(FOLDER, 'store', 'platform.jsonl');
const PLANTED = process.argv.includes('--planted');
const MEMBER = /^forums\/[^/]+\/members\/[^/]+$/;
// Of a member whose data may only be stored, what a list shows: it is not for use meanwhile.
const SHOWN = ['name', 'etag', 'state', 'joined_on', 'left_on', 'restriction'];

const [dieAfter, diePoint] = (process.env.PLATFORM_DIE_AFTER ?? '').split(':');
let taken = 0;
function point(where) {
  if (where === diePoint && taken >= Number(dieAfter)) process.kill(process.pid, 'SIGKILL');
}

const versionOf = (record) => Number(record.etag.replaceAll('"', ''));

// Waits while the hub is away: what is asked is acknowledged by nobody meanwhile.
async function ask(method, request) {
  for (;;) {
    try {
      return await call(`Members.${method}`, request, AS);
    } catch (error) {
      if (error.code === grpc.status.NOT_FOUND) return undefined;
      if (![grpc.status.UNAVAILABLE, grpc.status.DEADLINE_EXCEEDED].includes(error.code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

// By name a member's record, or {leads_to} for the name of one who was merged into another.
class Copy {
  constructor() {
    this.epoch = 0;
    this.entries = new Map();
    if (!fs.existsSync(STORE)) return;
    const text = fs.readFileSync(STORE, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1); // the last line may be half written
    for (const line of whole.split('\n').slice(0, -1)) this.apply(JSON.parse(line));
    fs.truncateSync(STORE, Buffer.byteLength(whole));
  }

  apply({ epoch, changes }) {
    this.epoch = epoch;
    for (const [name, entry] of Object.entries(changes)) {
      if (entry) this.entries.set(name, entry);
      else this.entries.delete(name);
    }
  }

  keep(changes) {
    if (Object.keys(changes).length === 0) return;
    const line = { epoch: this.epoch, changes };
    const file = fs.openSync(STORE, 'a');
    fs.writeSync(file, `${JSON.stringify(line)}\n`);
    fs.fdatasyncSync(file);
    fs.closeSync(file);
    this.apply(line);
  }

  keepAnew(epoch, changes) {
    const next = `${STORE}.next`;
    fs.writeFileSync(next, `${JSON.stringify({ epoch, changes })}\n`, { flush: true });
    fs.renameSync(next, STORE);
    this.entries.clear();
    this.apply({ epoch, changes });
  }

  leadingTo(name) {
    return [...this.entries].filter(([, entry]) => entry.leads_to === name).map(([from]) => from);
  }
}

const shown = (record) =>
  record.restriction ? Object.fromEntries(Object.entries(record).filter(([field]) => SHOWN.includes(field))) : record;

// What the hub says of a name now; null where nothing is to be kept of it.
async function entryOf(name) {
  const record = await ask('GetMember', { name });
  if (record && record.name !== name) return { leads_to: record.name };
  return record && record.state !== 'ERASED' ? shown(record) : null;
}

// A member who changed, and all names that led there, or where this one led: a merge of it or its
// undoing turns them.
async function changesOf(copy, name) {
  const changes = { [name]: await entryOf(name) };
  const led = copy.entries.get(name)?.leads_to;
  for (const from of copy.leadingTo(name)) changes[from] = await entryOf(from);
  for (const from of led ? copy.leadingTo(led) : []) changes[from] ??= await entryOf(from);
  const [kept, now] = [copy.entries.get(name), changes[name]];
  if (kept?.etag && now?.etag && versionOf(kept) > versionOf(now)) return {};
  return changes;
}

async function listAll() {
  const changes = {};
  const merged = [];
  for (let token = ''; ; ) {
    const page = await ask('ListMembers', { parent: FORUM, page_size: 100, page_token: token });
    for (const record of page.members ?? []) {
      if (record.merged_into) merged.push(record.name);
      else if (record.state !== 'ERASED') changes[record.name] = shown(record);
    }
    token = page.next_page_token;
    if (!token) break;
  }
  // Asked after all who were kept were listed, so that what turns a name later comes as an event.
  for (const name of merged) changes[name] = await entryOf(name);
  return changes;
}

// What an event makes of the copy: a function that keeps it.
async function outcomeOf(copy, event) {
  const epoch = Number(event.epoch);
  if (epoch < copy.epoch) return () => {};
  if (epoch > copy.epoch) {
    const all = await listAll();
    return () => copy.keepAnew(epoch, all);
  }
  const { member, kept } = JSON.parse(event.body);
  const type = event.type.split('.').pop();
  let changes = {};
  if (type === 'MemberErased') {
    if (copy.entries.get(member)?.etag) changes = { [member]: null };
  } else if (type === 'MemberMerged') {
    for (const name of [member, kept]) Object.assign(changes, await changesOf(copy, name));
  } else if (MEMBER.test(event.subject)) {
    const known = copy.entries.get(event.subject);
    const isKnown = known?.etag && versionOf(known) >= Number(event.version);
    if (!isKnown) changes = await changesOf(copy, event.subject);
  }
  return () => copy.keep(changes);
}

async function take(copy, message) {
  ++taken;
  if (PLANTED) await message.ackAck();
  point('fetched');
  const keep = await outcomeOf(copy, toCloudEvent(message));
  point('asked');
  keep();
  point('kept');
  if (!PLANTED) await message.ackAck();
}

async function main() {
  const copy = new Copy();
  if (process.argv.includes('--show')) {
    const text = JSON.stringify({ epoch: copy.epoch, entries: Object.fromEntries(copy.entries) });
    await new Promise((resolve) => process.stdout.write(text, resolve)); // whole, also into a pipe
    return;
  }
  const tenant = await Tenant.open('wpcv');
  const consumer = await tenant.connection
    .jetstream({ domain: tenant.domain })
    .consumers.get(tenant.stream, tenant.durable);
  for (;;) {
    for await (const message of await consumer.fetch({ max_messages: 20, expires: 1000 })) {
      await take(copy, message);
    }
  }
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
