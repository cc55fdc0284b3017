'use strict';
// An officer's own program at the hub's gRPC door: it reads the published .proto files at run time,
// asks for a place at a session, and reads from the answer to a bad request what was bad about it.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const { check, until, run } = require('./check');

const FOLDER = process.env.OUTSIDE;
const SERVER = process.env.HUB_SERVER;
const PROTO = process.env.HUB_PROTO;
const FORUM = 'forums/warwickshire';
const WCC = `${FORUM}/partners/wcc`;

const definition = loader.loadSync(
  [
    'engagement/v1/records.proto',
    'errors/v1/errors.proto',
    'hub/v1/hub.proto',
    'membership/v1/forums.proto',
    'membership/v1/members.proto',
    'membership/v1/reps.proto',
    'scheduling/v1/items.proto',
    'scheduling/v1/requests.proto',
    'scheduling/v1/sessions.proto',
  ].map((file) => `coproduction/${file}`),
  // Default values are left out, so that an answer shows what was said and nothing else.
  { includeDirs: [PROTO], keepCase: true, longs: String, enums: String, oneofs: true },
);
const packages = grpc.loadPackageDefinition(definition).coproduction;

function clientOf(service) {
  const [group, name] = service.split('.');
  return new packages[group].v1[name](SERVER, grpc.credentials.createInsecure());
}
const clients = Object.fromEntries(
  [
    'engagement.Records',
    'hub.Events',
    'hub.Hub',
    'membership.Grants',
    'membership.Members',
    'membership.Reps',
    'scheduling.Items',
    'scheduling.Requests',
    'scheduling.Sessions',
  ].map((service) => [service.split('.')[1], clientOf(service)]),
);

// What a refusal carries beside its code and words: a google.rpc.Status in the trailer
// grpc-status-details-bin. The hub's own messages have the same numbers on the wire.
const decode = (name, bytes) => definition[`coproduction.errors.v1.${name}`].deserialize(bytes);

function detailsOf(error) {
  const found = { code: error.code, words: error.details, violations: [] };
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  if (bytes === undefined) return found;
  const status = decode('RpcStatus', bytes);
  found.status = { code: status.code, words: status.message };
  for (const { type_url: type, value } of status.details ?? []) {
    if (type === 'type.googleapis.com/google.rpc.ErrorInfo') {
      Object.assign(found, decode('ErrorInfo', value));
    } else if (type === 'type.googleapis.com/google.rpc.BadRequest') {
      found.violations = decode('BadRequest', value).field_violations;
    }
  }
  return found;
}

// Calls 'Requests.SubmitRequest' with the token of `as`; without `as`, with none.
function call(method, request, as) {
  const metadata = new grpc.Metadata();
  if (as) {
    const token = fs.readFileSync(path.join(FOLDER, 'tokens', as), 'utf8').trim();
    metadata.set('authorization', `Bearer ${token}`);
  }
  const [service, name] = method.split('.');
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + 10000;
    clients[service][name](request, metadata, { deadline }, (error, answer) =>
      error ? reject(Object.assign(error, { found: detailsOf(error) })) : resolve(answer),
    );
  });
}

async function mustBeRefused(expected, method, request, as) {
  let found;
  try {
    await call(method, request, as);
  } catch (error) {
    if (!error.found) throw error;
    found = error.found;
  }
  assert.ok(found, `${method} was not refused`);
  assert.equal(grpc.status[found.code], expected.code, found.words);
  assert.equal(found.reason, expected.reason, found.words);
  assert.equal(found.domain, 'coproduction-hub');
  assert.deepEqual(found.status, { code: found.code, words: found.words });
  assert.equal(found.metadata?.field, expected.field);
  // BadRequest, the same again in the form that libraries know, is for what the caller wrote.
  const fields = found.violations.map((violation) => violation.field);
  assert.deepEqual(fields, expected.code === 'INVALID_ARGUMENT' ? [expected.field] : []);
  assert.ok(found.violations.every((violation) => violation.description.length > 0));
}

const newId = () => crypto.randomUUID();

// Everything that a request must say.
const complete = (title) => ({
  title,
  workstream: 'CHANGE_PROGRAMME',
  purpose: 'DISCUSSION',
  decision_stage: 'OPTIONS',
  can_change: 'The order of the questions and who is asked first',
  cannot_change: 'The budget of the year',
  who_decides: 'Cabinet',
  requestor: 'A. Officer, commissioning',
  team: 'SEND commissioning',
  minutes_wanted: 30,
  needed_by: '2099-06-01',
  papers: 'none',
  attendees: 'A. Officer',
});

// The present operator's view: no event is on its way any more.
const settled = () =>
  until('the hub is settled', async () => {
    const status = await call('Hub.GetStatus', {}, 'operator');
    return status.settled || undefined;
  });

async function main() {
  const as = 'officer';
  await check('a token alone opens nothing: who has no grant is refused', () =>
    mustBeRefused(
      { code: 'PERMISSION_DENIED', reason: 'ROLE_NOT_ALLOWED' },
      'Requests.ListRequests',
      { parent: FORUM },
      'stranger',
    ));
  await check("the council's participation lead makes the officer a requestor", async () => {
    const grant = {
      issuer: 'https://wcc.dev.example',
      subject: 'requestor:officer',
      role: 'REQUESTOR',
      partner: WCC,
      person: newId(),
    };
    const request = { parent: FORUM, grant, request_id: newId() };
    const made = await call('Grants.CreateGrant', request, 'participation_lead');
    assert.equal(made.role, 'REQUESTOR');
  });

  const create = (request, id = newId()) =>
    call('Requests.CreateRequest', { parent: FORUM, request, request_id: id }, as);

  const draft = await check('the officer drafts a request; sent again it is the same', async () => {
    const id = newId();
    const made = await create(complete('Short breaks: what to ask families'), id);
    assert.equal(made.state, 'DRAFT');
    assert.equal(made.partner, WCC);
    assert.match(made.name, /^forums\/warwickshire\/requests\/[0-9a-f-]{36}$/);
    assert.deepEqual(await create(complete('Short breaks: what to ask families'), id), made);
    return made;
  });
  const submitted = await check('and submits it', async () => {
    const request = { name: draft.name, etag: draft.etag, request_id: newId() };
    const made = await call('Requests.SubmitRequest', request, as);
    assert.equal(made.state, 'SUBMITTED');
    assert.match(made.submit_date, /^\d{4}-\d\d-\d\d$/);
    const read = await call('Requests.GetRequest', { name: draft.name }, as);
    assert.deepEqual(read, made);
    return made;
  });

  const early = await check('what only the hub may say is not taken from the officer', async () => {
    const said = { ...complete('Accepted already'), state: 'ACCEPTED', review_date: '2026-03-01' };
    const made = await create(said);
    assert.equal(made.state, 'DRAFT');
    assert.equal(made.review_date, undefined);
    return made;
  });

  const bad = (request) => [
    'Requests.CreateRequest',
    { parent: FORUM, request, request_id: newId() },
  ];
  const { title, ...untitled } = complete('no title');
  const { team, ...teamless } = complete('no team');
  const unready = await create(teamless);
  const submit = (name, etag) => ['Requests.SubmitRequest', { name, etag, request_id: newId() }];
  const invalid = (reason, field) => ({ code: 'INVALID_ARGUMENT', reason, field });
  const refused = [
    ['a title that is missing', invalid('FIELD_REQUIRED', 'request.title'), ...bad(untitled)],
    [
      'a title that is too long',
      invalid('INVALID_FIELD', 'request.title'),
      ...bad(complete('x'.repeat(201))),
    ],
    [
      'a date that is none',
      invalid('INVALID_FIELD', 'request.needed_by'),
      ...bad({ ...complete('no date'), needed_by: '2026-02-30' }),
    ],
    [
      'a draft submitted without its team',
      invalid('FIELD_REQUIRED', 'team'),
      ...submit(unready.name, unready.etag),
    ],
    [
      'an etag that is old',
      { code: 'ABORTED', reason: 'ETAG_MISMATCH', field: 'etag' },
      ...submit(draft.name, draft.etag),
    ],
    [
      'a request that is not there',
      { code: 'NOT_FOUND', reason: 'RESOURCE_NOT_FOUND' },
      ...submit(`${FORUM}/requests/${newId()}`, '"1"'),
    ],
  ];
  for (const [what, expected, method, request] of refused) {
    const field = expected.field ? ` ${expected.field}` : '';
    await check(`${what}: ${expected.code} ${expected.reason}${field}`, () =>
      mustBeRefused(expected, method, request, as));
  }
  await check('no token: UNAUTHENTICATED UNAUTHENTICATED', () =>
    mustBeRefused(
      { code: 'UNAUTHENTICATED', reason: 'UNAUTHENTICATED' },
      'Requests.GetRequest',
      { name: draft.name },
    ));
  await check('what was refused left nothing behind', async () => {
    const { requests } = await call('Requests.ListRequests', { parent: FORUM }, as);
    const names = requests.map((request) => request.name).sort();
    assert.deepEqual(names, [draft.name, early.name, unready.name].sort());
    assert.deepEqual(await call('Requests.GetRequest', { name: draft.name }, as), submitted);
  });
  await settled();
}

module.exports = { FORUM, WCC, call, complete, newId, settled };
if (require.main === module) run(main);
