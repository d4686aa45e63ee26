import { inwardWords } from './inward';

test.each([
  'Error: Cannot find module /tmp/sauti/gateway/server',
  '{"message":"x","stack":"    at execute (file:///app/x:12:7)"}',
  'Invalid `prisma.user.findMany()` invocation',
  'relation "users.user" does not exist',
  'select 1 from users."user" where id = 1',
  'connect ECONNREFUSED 127.0.0.1:4001',
  '{"extensions":{"service":"users"}}',
  "HTTP fetch failed from subgraph 'media'",
  '[["x-powered-by","Express"]]',
  'listening on :40123',
])('finds what %s tells of our inside', (answer) => {
  expect(inwardWords(answer, ['40123'])).not.toEqual([]);
});

test('finds nothing in an honest refusal', () => {
  const answer = '401 [["content-type","application/json"]] {"errors":[{"message":"The access token is not valid."}]}';
  expect(inwardWords(answer, ['40123'])).toEqual([]);
});
