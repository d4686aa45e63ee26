import { abortSignalOf, Cancellation } from './cancellation';

test('tells each listener once, in order, with the first reason', () => {
  const cancellation = new Cancellation();
  const told: string[] = [];
  const [one, two, three] = ['one', 'two', 'three'].map((name) => () => void told.push(name));
  cancellation.addEventListener('abort', one!);
  cancellation.addEventListener('abort', { handleEvent: two! });
  cancellation.addEventListener('abort', three!);
  cancellation.addEventListener('abort', three!);
  cancellation.abort('first');
  cancellation.abort('second');
  expect(told).toEqual(['one', 'two', 'three']);
  expect(cancellation).toMatchObject({ aborted: true, reason: 'first' });
});

test('tells nobody who has stopped listening, nor who begins afterwards', () => {
  const cancellation = new Cancellation();
  const told: string[] = [];
  const [one, two, three, late] = ['one', 'two', 'three', 'late'].map((name) => () => void told.push(name));
  for (const listener of [one!, two!, three!]) cancellation.addEventListener('abort', listener);
  cancellation.removeEventListener('abort', one!);
  cancellation.removeEventListener('abort', two!);
  cancellation.abort('gone');
  cancellation.addEventListener('abort', late!);
  expect(told).toEqual(['three']);
});

test('a listener may leave while others are told', () => {
  const cancellation = new Cancellation();
  const told: string[] = [];
  const second = (): void => void told.push('second');
  cancellation.addEventListener('abort', () => cancellation.removeEventListener('abort', second));
  cancellation.addEventListener('abort', second);
  cancellation.abort('gone');
  expect(told).toEqual(['second']);
});

test('as an AbortSignal it aborts with the same reason, before and after', () => {
  const cancellation = new Cancellation();
  const signal = abortSignalOf(cancellation);
  expect(signal.aborted).toBe(false);
  const reason = new Error('gone');
  cancellation.abort(reason);
  expect(signal.reason).toBe(reason);
  expect(abortSignalOf(cancellation).reason).toBe(reason);
  expect(abortSignalOf(signal)).toBe(signal);
});
