import { mergePatch } from './merge-patch';

/** RFC 7396, appendix A. */
const CASES: [target: string, patch: string, result: string][] = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
];

test.each(CASES)('%s with the patch %s becomes %s', (target, patch, result) => {
  expect(JSON.stringify(mergePatch(JSON.parse(target), JSON.parse(patch)))).toBe(result);
});

test('leaves both arguments as they are', () => {
  const [target, patch] = [{ a: { b: 1 } }, { a: { c: { d: null } } }];
  expect(mergePatch(target, patch)).toEqual({ a: { b: 1, c: {} } });
  expect([target, patch]).toEqual([{ a: { b: 1 } }, { a: { c: { d: null } } }]);
});

test('keys that mean something to JavaScript are data, and are removed like data', () => {
  const text = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toJSON":"x"}';
  const merged = mergePatch({}, JSON.parse(text));
  expect(JSON.stringify(merged)).toBe(text);
  expect(JSON.stringify(mergePatch(merged, JSON.parse('{"__proto__":{"more":1},"toJSON":null}')))).toBe(
    '{"__proto__":{"polluted":true,"more":1},"constructor":{"prototype":{"polluted":true}}}',
  );
  expect(JSON.stringify(mergePatch(merged, JSON.parse('{"__proto__":null,"constructor":null,"toJSON":null}')))).toBe(
    '{}',
  );
  expect('polluted' in {}).toBe(false);
});
