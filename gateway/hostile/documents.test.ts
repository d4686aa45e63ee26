import { waitFor } from '../../platform/testing/wait';
import { aRunningShop, post, type RunningShop } from '../testing/gateways';
import { besideHonest, noFigures, report } from '../testing/honest';
import { aRawSocket } from '../testing/socket-client';

const repeat = (count: number, part: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => part(index)).join(' ');

/** Each fragment spreads the next one twice. */
const doubling = (levels: number, type: string, step: (inner: string) => string, field: string, alias = ''): string =>
  `{ ${field} { ...f0 } } ${repeat(levels, (index) => {
    const inner = index + 1 < levels ? `...f${index + 1}` : '';
    return `fragment f${index} on ${type} { ${alias && `${alias}${index}: `}__typename ${step(inner)} ${inner} }`;
  })}`;
const partner = (inner: string): string => `partner { id ${inner} }`;
const nested = (levels: number, open: string, core: string, close = '}'): string =>
  open.repeat(levels) + core + close.repeat(levels);
const toRating = (inner: string): string => `... on Book { reviews { id about { __typename ${inner} } } }`;

/** `id` 2^20 times. */
const COMPACT = `{me{...f0}}${repeat(20, (i) => `fragment f${i} on User{...f${i + 1}...f${i + 1}}`)}fragment f20 on User{id}`;

/** Documents within the limits of bytes and tokens. */
const SHORT: [string, string, string][] = [
  ['706 bytes that describe a million fields', COMPACT, 'SELECTION_LIMIT'],
  ['fragments that double 8 times', doubling(8, 'User', partner, 'me'), 'REPEAT_LIMIT'],
  ['fragments that double 11 times', doubling(11, 'User', partner, 'me'), 'SELECTION_LIMIT'],
  ['fragments that double 20 times', doubling(20, 'User', partner, 'me'), 'DEPTH_LIMIT SELECTION_LIMIT'],
  [
    'fragments that double 40 times, with aliases',
    doubling(40, 'User', partner, 'me', 'a'),
    'DEPTH_LIMIT ALIAS_LIMIT SELECTION_LIMIT',
  ],
  [
    'doubling on an interface',
    doubling(20, 'Product', (inner) => `... on Product { upc ${inner} }`, 'products'),
    'SELECTION_LIMIT',
  ],
  [
    'doubling on a union',
    doubling(20, 'Reviewed', toRating, 'review(id: "r1") { about').replace('...f0 } }', '...f0 } } }'),
    'DEPTH_LIMIT SELECTION_LIMIT',
  ],
  ['490 times one field', `{ ${repeat(490, () => 'me { id }')} }`, 'REPEAT_LIMIT'],
  [
    '22 times 21 times one field',
    `{ ${repeat(22, () => `me { ${repeat(21, () => 'partner { id }')} }`)} }`,
    'REPEAT_LIMIT',
  ],
  [
    'one field in 190 fragments',
    `{ me { ${repeat(190, (i) => `...F${i}`)} } } ${repeat(190, (i) => `fragment F${i} on User { id }`)}`,
    'REPEAT_LIMIT',
  ],
  [
    'repeated fields in a fragment nobody spreads',
    `{ me { id } } fragment F on Query { ${repeat(400, () => 'me { id }')} }`,
    'REPEAT_LIMIT',
  ],
  [
    'repeated introspection',
    `{ ${repeat(280, () => '__schema { types { name } }')
      .slice(0, 5_000)
      .replace(/[^}]*$/, '')} }`,
    'REPEAT_LIMIT',
  ],
  ['aliases in introspection', `{ __schema { ${repeat(31, (i) => `a${i}: types { name }`)} } }`, 'ALIAS_LIMIT'],
  ['31 aliases of a field of another subgraph', `{ me { ${repeat(31, (i) => `a${i}: karma`)} } }`, 'ALIAS_LIMIT'],
  ['600 nested inline fragments', `{ me { ${nested(600, '... { ', 'id')} } }`, ''],
  ['a fragment of itself', '{ me { ...A } } fragment A on User { id ...A }', 'GRAPHQL_VALIDATION_FAILED'],
  [
    'a cycle of three, through fields and inline fragments',
    '{ me { ...A } } fragment A on User { ... { ...B } } fragment B on User { partner { ...C } } fragment C on User { ... on User { ...A } }',
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'a cycle beside much else',
    `{ ${repeat(400, () => 'me { id }')} ...F } fragment F on Query { ...F }`,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'fragments that all spread each other',
    `{ me { ...F0 } } ${repeat(28, (i) => `fragment F${i} on User { id ${repeat(28, (j) => (i === j ? '' : `...F${j}`))} }`)}`,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  ['1 900 unknown fields', `{ ${repeat(1_900, (i) => `zz${i}`)} }`, 'GRAPHQL_VALIDATION_FAILED'],
  [
    'names of 900 characters',
    `{ me { ${repeat(60, (i) => `p${'x'.repeat(900)}${i}`)} } }`,
    'GRAPHQL_VALIDATION_FAILED',
  ],
  ['450 unused variables', `query (${repeat(450, (i) => `$v${i}: Int`)}) { me { id } }`, 'GRAPHQL_VALIDATION_FAILED'],
  ['250 times one directive', `{ me { id ${repeat(250, () => '@include(if: true)')} } }`, 'GRAPHQL_VALIDATION_FAILED'],
  ['2 000 nested inline fragments', `{ me { ${nested(2_000, '...{', 'id')} } }`, 'GRAPHQL_PARSE_FAILED'],
  ['8 000 nested inline fragments', `{ me { ${nested(8_000, '...{', 'id')} } }`, 'GRAPHQL_PARSE_FAILED'],
  [
    '5 000 nested list literals',
    `{ products(filter: { in: ${nested(5_000, '[', '', ']')} }) { upc } }`,
    'GRAPHQL_PARSE_FAILED',
  ],
  ['_service', '{ _service { sdl } }', 'GRAPHQL_VALIDATION_FAILED'],
  [
    '_entities, in a fragment',
    'query ($r: [_Any!]!) { ...F } fragment F on Query { e: _entities(representations: $r) { __typename } }',
    'GRAPHQL_VALIDATION_FAILED',
  ],
];

/** Documents that only a gateway with wider limits reads to their end. */
const LONG: [string, string, string][] = [
  ['18 000 times one field', `{ ${repeat(18_000, () => 'who')} }`, 'SELECTION_LIMIT'],
  [
    '60 times 100 nested inline fragments',
    `{ ${repeat(60, () => `me { ${nested(100, '... { id ', 'id')} }`)} }`,
    'SELECTION_LIMIT',
  ],
  [
    '60 times 30 nested inline fragments',
    `{ ${repeat(60, () => `me { ${nested(30, '... { id ', 'id')} }`)} }`,
    'REPEAT_LIMIT',
  ],
  ['10 000 aliases of __typename', `{ ${repeat(10_000, (i) => `a${i}: __typename`)} }`, 'ALIAS_LIMIT SELECTION_LIMIT'],
  ['10 000 aliases of a root field', `{ ${repeat(10_000, (i) => `a${i}: me { id }`)} }`, 'ALIAS_LIMIT SELECTION_LIMIT'],
  [
    '10 000 aliases of a field of another subgraph',
    `{ me { ${repeat(10_000, (i) => `a${i}: karma`)} } }`,
    'ALIAS_LIMIT SELECTION_LIMIT',
  ],
  ['8 000 nested inline fragments', `{ me { ${nested(8_000, '...{', 'id')} } }`, 'GRAPHQL_PARSE_FAILED'],
  ['8 000 nested fields', `{ me { ${nested(8_000, 'partner{', 'id')} } }`, 'GRAPHQL_PARSE_FAILED'],
  [
    '30 000 nested list literals',
    `{ products(filter: { in: ${nested(30_000, '[', '', ']')} }) { upc } }`,
    'GRAPHQL_PARSE_FAILED',
  ],
];

let running: RunningShop;
let wide: RunningShop;
const figures = noFigures();
const figuresBesideWide = noFigures();
beforeAll(async () => {
  running = await aRunningShop('in process', { development: false });
  wide = await aRunningShop('in process', {
    development: false,
    limits: { maxTokens: 150_000, maxBodyBytes: 1_000_000, maxMessageBytes: 1_000_000 },
  });
});
afterAll(async () => {
  report('hostile documents', figures);
  report('hostile documents, wider limits', figuresBesideWide);
  await running[Symbol.asyncDispose]();
  await wide[Symbol.asyncDispose]();
});

/** The different codes of errors, in their order. */
function codesOf(errors: readonly { extensions: { code: string } }[] = []): string {
  return [...new Set(errors.map(({ extensions }) => extensions.code))].join(' ');
}

/** The codes a document is refused with on a WebSocket; the empty text when it is answered. */
async function codesOverSocket(url: string, query: string): Promise<string> {
  const socket = await aRawSocket(url, { init: {} });
  socket.send({ type: 'subscribe', id: '1', payload: { query } });
  const { type, payload } = await waitFor('an answer', () =>
    socket.messages.find((message) => message.id === '1' && message.type !== 'complete'),
  );
  socket.socket.close();
  return type === 'next' ? '' : codesOf(payload as { extensions: { code: string } }[]);
}

test('the shortest of them describes a million fields in 706 bytes', () => {
  expect(Buffer.byteLength(COMPACT)).toBeLessThanOrEqual(706);
});

describe.each(SHORT)('%s', (_, document, codes) => {
  test('over HTTP', async () => {
    const { status, errors, data } = await besideHonest(running.url, figures, () => post(running.url, document));
    expect([status, codesOf(errors)]).toEqual([codes === '' ? 200 : 400, codes]);
    expect(data === undefined).toBe(codes !== '');
    expect(JSON.stringify(errors ?? [])).not.toMatch(/call stack|at .*\.[jt]s/);
    expect(JSON.stringify(errors ?? []).length).toBeLessThan(100_000);
  });

  test('over WebSocket', async () => {
    expect(await besideHonest(running.url, figures, () => codesOverSocket(running.webSocketUrl, document))).toBe(codes);
  });
});

describe.each(LONG)('where limits are wider: %s', (_, document, codes) => {
  test('over HTTP', async () => {
    const { status, errors } = await besideHonest(wide.url, figuresBesideWide, () => post(wide.url, document));
    expect([status, codesOf(errors)]).toEqual([400, codes]);
    expect(JSON.stringify(errors)).not.toMatch(/call stack/);
  });

  test('over WebSocket', async () => {
    expect(await besideHonest(wide.url, figuresBesideWide, () => codesOverSocket(wide.webSocketUrl, document))).toBe(
      codes,
    );
  });
});
