/** The process of the load generator: one for each target, so that each has all file descriptors a process may have. */
import { Audience } from './audience';
import type { LoadReply, LoadRequest } from './load-messages';

const audiences = new Map<string, Audience>();

async function answer(request: LoadRequest): Promise<LoadReply> {
  const done: LoadReply = { kind: 'done', isSo: true };
  if (request.kind === 'open') {
    const opened = new Audience(request.spec);
    audiences.set(request.audience, opened);
    await opened.open();
    return done;
  }
  const audience = audiences.get(request.audience);
  if (!audience) throw new Error(`there is no audience "${request.audience}"`);
  switch (request.kind) {
    case 'started':
      return { ...done, isSo: await audience.hasStarted(request.limitMs) };
    case 'reached':
      return { ...done, isSo: await audience.hasReached(request.seq, request.limitMs) };
    case 'closed':
      return { ...done, isSo: await audience.allClosed(request.limitMs) };
    case 'figures':
      return { ...done, figures: audience.figuresOf(request.from, request.to) };
    case 'tally':
      return { ...done, tally: audience.tallyUntil(request.finalSeq) };
    default:
      audience[request.kind]();
      return done;
  }
}

process.on('message', (request: LoadRequest) => {
  answer(request).then(
    (reply) => process.send?.(reply),
    (error: Error) => process.send?.({ kind: 'failed', reason: error.message } satisfies LoadReply),
  );
});
process.on('disconnect', () => process.exit(0));
