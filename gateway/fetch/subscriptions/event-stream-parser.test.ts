import { EventStreamError, EventStreamParser } from './event-stream-parser';

/** What a stream says, told in pieces of this many bytes. */
function parse(stream: string | Buffer, pieceBytes = Infinity, maxLength = 1_000): string[] {
  const told: string[] = [];
  const parser = new EventStreamParser(maxLength, {
    event: ({ name, data }) => told.push(`${name}|${data}`),
    comment: () => told.push(':'),
  });
  const bytes = Buffer.from(stream);
  for (let at = 0; at < bytes.length; at += pieceBytes) parser.push(bytes.subarray(at, at + pieceBytes));
  return told;
}

test('an event has its name and its data, one space after the colon aside', () => {
  expect(parse('event: next\ndata: {"a":1}\n\n')).toEqual(['next|{"a":1}']);
  expect(parse('event:next\ndata:  {"a":1} \n\n')).toEqual(['next| {"a":1} ']);
  expect(parse('data\n\n')).toEqual(['|']);
});

test('lines end with LF, CR and CRLF, also mixed', () => {
  const expected = ['next|1', 'next|2'];
  expect(parse('event: next\ndata: 1\n\nevent: next\ndata: 2\n\n')).toEqual(expected);
  expect(parse('event: next\rdata: 1\r\revent: next\rdata: 2\r\r')).toEqual(expected);
  expect(parse('event: next\r\ndata: 1\r\n\r\nevent: next\r\ndata: 2\r\n\r\n')).toEqual(expected);
  expect(parse('event: next\rdata: 1\n\r\nevent: next\r\ndata: 2\n\r')).toEqual(expected);
});

test('an event is told as soon as its last line has ended, also by a CR that an LF may follow', () => {
  const told: string[] = [];
  const parser = new EventStreamParser(100, { event: ({ data }) => told.push(data), comment: () => {} });
  parser.push(Buffer.from('data: 1\r\n\r'));
  expect(told).toEqual(['1']);
  parser.push(Buffer.from('\ndata: 2\r\n\r\n'));
  expect(told).toEqual(['1', '2']);
});

test.each([1, 2, 3, 5, 7])(
  'pieces of %i bytes break nothing: lines, line ends, characters, the byte order mark',
  (size) => {
    const stream = '\ufeff: hello\r\nevent: next\r\ndata: "ü€😀"\r\ndata: two\r\n\r\n:\r\revent: complete\n\n';
    expect(parse(stream, size)).toEqual([':', 'next|"ü€😀"\ntwo', ':', 'complete|']);
  },
);

test('only the first byte order mark is skipped', () => {
  expect(parse('data: \ufeffa\n\n')).toEqual(['|\ufeffa']);
  expect(parse('\ufeff\ufeffdata: a\n\n')).toEqual([]);
});

test('data of several lines is joined; names and data do not outlive their event', () => {
  expect(parse('event: a\nevent: next\ndata: 1\ndata:\ndata: 3\n\ndata: 4\n\n')).toEqual(['next|1\n\n3', '|4']);
});

test('an event without data is one, and blank lines are none', () => {
  expect(parse('event: complete\n\n\n\n')).toEqual(['complete|']);
});

test('id, retry and unknown fields say nothing; an event that has not ended is not told', () => {
  expect(parse('id: 7\nretry: 10\nfoo: bar\nDATA: x\n\ndata: half')).toEqual([]);
});

test('bytes that are no UTF-8 are an error', () => {
  expect(() => parse(Buffer.from([0x64, 0x61, 0xff, 0x0a]))).toThrow(EventStreamError);
});

test('an event over the limit is an error before it has ended; comments and events before it do not count', () => {
  const long = `data: ${'x'.repeat(60)}\n`;
  expect(parse(`: ${'c'.repeat(90)}\n`.repeat(3) + `${long}\n`.repeat(3), 16, 100)).toHaveLength(6);
  expect(() => parse(long + long, 16, 100)).toThrow('more than 100 characters');
  expect(() => parse(`data: ${'x'.repeat(100)}`, 16, 100)).toThrow('more than 100 characters');
  expect(() => parse(`: ${'x'.repeat(100)}`, 16, 100)).toThrow('more than 100 characters');
});
