'use strict';
// A platform that keeps a copy of the hub's records by the contract: its durable first, then all
// lists with their versions; then, of an event whose version is higher, the record; and where an
// event's epoch is higher, the hub was restored and all is listed anew.
//   node copy.js [--compare]   takes what there is and keeps the copy on disk; then, where nothing goes
//                              on meanwhile, holds it against the lists

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const { check, run } = require('./check');
const { FORUM, call } = require('./requester');
const { FOLDER, Tenant } = require('./subscriber');

const AS = 'membership_platform';
const STORE = path.join(FOLDER, 'store', 'copy.json');
const PAGE = 100;
// Whose records are kept, and what one of them is called.
const KEPT = {
  members: ['Members', 'Member'],
  reps: ['Reps', 'Rep'],
  sessions: ['Sessions', 'Session'],
  requests: ['Requests', 'Request'],
  items: ['Items', 'Item'],
  records: ['Records', 'Record'],
};

// What the hub works out at each reading has no version and no event: it is not for keeping.
function computedFields() {
  const proto = path.join(process.env.HUB_PROTO, 'coproduction');
  const files = ['membership', 'scheduling', 'engagement'].flatMap((service) =>
    fs.readdirSync(path.join(proto, service, 'v1')).map((file) => path.join(proto, service, 'v1', file)));
  const field = /(\w+) = \d+\s*\[\(options\.v1\.field\) = \{[^}]*?computed: true/g;
  return files.flatMap((file) => [...fs.readFileSync(file, 'utf8').matchAll(field)].map((found) => found[1]));
}
const COMPUTED = new Set(computedFields());

const versionOf = (record) => Number(record.etag.replaceAll('"', ''));
const withoutComputed = (record) =>
  JSON.parse(JSON.stringify(record, (key, value) => (COMPUTED.has(key) ? undefined : value)));

async function listAll() {
  const records = {};
  for (const [collection, [service]] of Object.entries(KEPT)) {
    for (let token = ''; ; ) {
      const page = await call(`${service}.List${service}`, { parent: FORUM, page_size: PAGE, page_token: token }, AS);
      for (const record of page[collection] ?? []) records[record.name] = withoutComputed(record);
      token = page.next_page_token;
      if (!token) break;
    }
  }
  return records;
}

function save(copy) {
  fs.writeFileSync(`${STORE}.next`, JSON.stringify(copy));
  fs.renameSync(`${STORE}.next`, STORE);
}

// One event; what it did to the copy.
async function take(copy, event) {
  const epoch = Number(event.epoch);
  if (epoch > copy.epoch) {
    Object.assign(copy, { epoch, records: await listAll() });
    return 'listed anew';
  }
  if (epoch < copy.epoch) return 'from before the restore';
  const kept = KEPT[event.subject.split('/')[2]];
  if (!kept) return 'not kept';
  const before = copy.records[event.subject];
  if (before && versionOf(before) >= Number(event.version)) return 'known';
  const [service, name] = kept;
  try {
    const record = await call(`${service}.Get${name}`, { name: event.subject }, AS);
    copy.records[event.subject] = withoutComputed(record);
    return 'taken';
  } catch (error) {
    if (error.code !== grpc.status.NOT_FOUND) throw error;
    delete copy.records[event.subject];
    return 'gone';
  }
}

async function main() {
  const tenant = await Tenant.open('wpcv');
  const copy = fs.existsSync(STORE)
    ? JSON.parse(fs.readFileSync(STORE, 'utf8'))
    : { epoch: 1, records: await listAll() };
  const done = {};
  await check('an outside copy takes the events', async () => {
    for await (const event of tenant.events()) {
      const what = await take(copy, event);
      done[what] = (done[what] ?? 0) + 1;
      save(copy);
    }
  });
  const counts = Object.entries(done).map(([what, count]) => `${count} ${what}`);
  console.log(`note\tepoch ${copy.epoch}; ${counts.join(', ') || 'no events'}`);
  if (process.argv.includes('--compare')) {
    const records = Object.keys(copy.records).length;
    await check(`its ${records} records are those of the lists`, async () =>
      assert.deepEqual(copy.records, await listAll()));
  }
  await tenant.close();
}

run(main);
