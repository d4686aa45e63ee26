/**
 * The least that any gateway in Node must do: read the request, write each sub-call's JSON, send it, parse the answer,
 * write the whole answer's JSON. It plans, merges and checks nothing: `node floor.mjs RECORDING LEVELS PORT`, where
 * LEVELS names one of the recorded ways to make the calls.
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { Pool } from 'undici';

const [recordingFile, levels, port] = process.argv.slice(2);
const recording = JSON.parse(readFileSync(recordingFile, 'utf8'));
const operations = new Map(recording.operations.map((operation) => [operation.query, operation]));
const pools = new Map();

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => answer(Buffer.concat(chunks).toString('utf8'), response));
});
server.listen(Number(port), '127.0.0.1');

async function answer(text, response) {
  const { query } = JSON.parse(text);
  const operation = operations.get(query);
  for (const level of operation?.levels[levels] ?? []) await Promise.all(level.map(call));
  const body = JSON.stringify({ data: operation?.data ?? { __typename: 'Query' } });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

async function call({ origin, query, variables }) {
  const { body } = await poolOf(origin).request({
    method: 'POST',
    path: '/graphql',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  return JSON.parse(await body.text());
}

function poolOf(origin) {
  if (!pools.has(origin)) pools.set(origin, new Pool(origin, { connections: 64 }));
  return pools.get(origin);
}
