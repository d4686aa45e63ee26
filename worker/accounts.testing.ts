import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { newId, type IdPrefix } from '../platform/ids';
import { createJob, putInLine, type Job } from '../platform/jobs/job';
import type { Platform } from '../platform/platform';
import { transcriptTopic } from '../subgraphs/media/events';
import { inboxTopic } from '../subgraphs/notification/events';
import { viewerTopic } from '../subgraphs/users/events';
import { anAccount, type Account } from '../subgraphs/users/testing-accounts';

export interface FullAccount extends Account {
  /** By what they are of; every row below holds one of them, or the account's address. */
  ids: Readonly<Record<IdPrefix, string>>;
  /** Ids of all its objects in the store. */
  objects: string[];
  /** A job of its own that is not due before an hour has passed. */
  job: Job;
  /** Words that are only in what it owns. */
  word: string;
}

/** An account that has something in every table. */
export async function aFullAccount(platform: Platform): Promise<FullAccount> {
  const { prisma } = platform.database;
  const account = await anAccount(platform);
  const { user } = account;
  const word = randomBytes(8).toString('hex');
  const ids = someIds(account);
  const file = await stored(platform, { ownerId: user.id, name: `${word}.txt` });
  const picture = await stored(platform, { ownerId: user.id, name: 'cover.png', partOf: ids.med });
  const own = { ...account, ids: { ...ids, fil: file }, objects: [file, picture], word };
  await addProofs(platform, own);
  await addCredits(platform, own);
  await addMedia(platform, own);
  const job = await addJobs(platform, own);
  const texts = { topic: 'transcript.ready', title: 'Ready', body: word, subjectId: ids.med, jobId: job.id };
  await prisma.notification.create({ data: { id: ids.ntf, ownerId: user.id, ...texts } });
  return { ...own, job };
}

type Own = Omit<FullAccount, 'job'>;

function someIds({ user, viewer }: Account): Record<IdPrefix, string> {
  const fresh = (prefix: IdPrefix) => [prefix, newId(prefix)] as const;
  const kinds = [
    'fil',
    'med',
    'trn',
    'seg',
    'spk',
    'ttr',
    'rnd',
    'liv',
    'job',
    'ntf',
    'idn',
    'mfa',
    'key',
    'crd',
  ] as const;
  const rest = ['aud', 'mal'] as const;
  const made = Object.fromEntries([...kinds, ...rest].map(fresh)) as Record<IdPrefix, string>;
  return { ...made, usr: user.id, ses: viewer.sessionId };
}

async function stored(
  { objects }: Platform,
  { ownerId, name, partOf }: { ownerId: string; name: string; partOf?: string },
): Promise<string> {
  const incoming = { ownerId, name, partOf, maxBytes: 1_000, argumentPath: [] };
  const { id } = await objects.put(
    { ...incoming, source: Readable.from([Buffer.from(`bytes of ${name}`)]) },
    async (_tx, row) => row,
  );
  return id;
}

async function addProofs({ database: { prisma } }: Platform, { user, ids }: Own): Promise<void> {
  const userId = user.id;
  const soon = new Date(Date.now() + 3_600_000);
  const hash = (what: string): string => createHash('sha256').update(`${what} of ${userId}`).digest('hex');
  await prisma.refreshToken.create({ data: { tokenHash: hash('refresh'), sessionId: ids.ses } });
  await prisma.oneTimeToken.create({
    data: { tokenHash: hash('reset'), kind: 'RESET_PASSWORD', userId, expiresAt: soon },
  });
  await prisma.trustedDevice.create({ data: { tokenHash: hash('device'), userId, expiresAt: soon } });
  await prisma.mfaFactor.create({ data: { id: ids.mfa, userId, name: 'phone', secret: 'SECRET-of-factor' } });
  await prisma.recoveryCode.create({ data: { userId, codeHash: hash('code') } });
  await prisma.identity.create({ data: { id: ids.idn, userId, provider: 'x', subject: userId, email: user.email } });
  const key = { id: ids.key, name: 'program', prefix: 'sauti_abc', keyHash: hash('key'), scopes: ['media:read'] };
  await prisma.apiKey.create({ data: { ...key, userId } });
  const audited = { action: 'session.started', actorId: userId, subjectId: ids.ses, ipAddress: '192.0.2.7' };
  await prisma.auditEvent.create({ data: { id: ids.aud, ...audited, metadata: { assurance: 'PASSWORD' } } });
  await prisma.mail.create({
    data: { id: ids.mal, recipient: user.email, subject: 'Hello', kind: 'test', state: 'SENT' },
  });
}

async function addCredits({ database: { prisma } }: Platform, { user, ids }: Own): Promise<void> {
  await prisma.creditAccount.create({ data: { ownerId: user.id, balance: 7 } });
  await prisma.creditEntry.create({ data: { id: ids.crd, ownerId: user.id, amount: 7, reason: 'GRANT' } });
  const key = { operation: 'transcribe', key: 'k', inputHash: 'h', resultId: ids.job };
  await prisma.idempotencyKey.create({ data: { ownerId: user.id, ...key } });
}

async function addMedia(platform: Platform, { user, ids, objects, word }: Own): Promise<void> {
  const { prisma } = platform.database;
  const ownerId = user.id;
  const [fileId, coverFileId] = objects as [string, string];
  await prisma.media.create({ data: { id: ids.med, ownerId, fileId, kind: 'AUDIO', title: word } });
  const mediaId = ids.med;
  await prisma.mediaFacts.create({ data: { mediaId, coverFileId, coverKnown: true } });
  await prisma.derivedFile.create({ data: { mediaId, key: 'thumbnail', fileId: coverFileId } });
  const rendition = { preset: 'MP3' as const, mimeType: 'audio/mpeg', fileId };
  await prisma.rendition.create({ data: { id: ids.rnd, mediaId, jobId: ids.job, ...rendition } });
  const origin = { kind: 'TRANSCRIBE', engine: 'e', engineVersion: '1', settings: {}, settingsHash: 'h' };
  await prisma.lineage.create({ data: { outputId: ids.trn, mediaId, inputIds: [fileId], ...origin } });
  await prisma.transcript.create({
    data: { id: ids.trn, ownerId, mediaId, language: 'en', engine: 'e', jobId: ids.job },
  });
  const transcriptId = ids.trn;
  await prisma.speaker.create({ data: { id: ids.spk, transcriptId, key: 'a', label: word, userId: ownerId } });
  const said = { position: 0, startMs: 0, endMs: 1, text: word, language: 'en', words: [] };
  await prisma.segment.create({ data: { id: ids.seg, transcriptId, speakerId: ids.spk, ...said } });
  await prisma.transcriptTranslation.create({ data: { id: ids.ttr, transcriptId, jobId: ids.job, language: 'es' } });
  const translated = { translationId: ids.ttr, segmentId: ids.seg, segmentRevision: 1, text: `es:${word}` };
  await prisma.segmentTranslation.create({ data: translated });
  await addLiveSession(platform, { ownerId, ids, word });
  await prisma.$transaction((tx) =>
    platform.events.append(tx, transcriptTopic(transcriptId), { segmentId: ids.seg, text: word } as never),
  );
}

async function addLiveSession(
  { database: { prisma } }: Platform,
  { ownerId, ids, word }: { ownerId: string; ids: Own['ids']; word: string },
): Promise<void> {
  const format = {
    encoding: 'PCM_S16LE' as const,
    sampleRate: 16_000,
    endpointingMs: 500,
    record: true,
    refine: false,
  };
  await prisma.liveSession.create({
    data: { id: ids.liv, ownerId, title: word, transcriptId: ids.trn, state: 'ENDED', ...format },
  });
  const bytes = Buffer.from(word);
  await prisma.liveAudio.create({ data: { sessionId: ids.liv, row: 1, fromByte: 0, bytes, lastSequence: 1 } });
}

/** Two jobs of which one needs the other, and events in every topic of the account. */
async function addJobs({ database: { prisma }, events }: Platform, { user, ids }: Own): Promise<Job> {
  const definition = { kind: 'NOBODY_KNOWS', maxAttempts: 3, parse: (payload: unknown) => payload as object };
  const job = { ownerId: user.id, subjectId: ids.med, payload: {} };
  const first = await prisma.$transaction((tx) => createJob(tx, events, definition, { ...job, id: ids.job }));
  await prisma.$transaction((tx) => putInLine(tx, first, 3_600_000));
  await prisma.$transaction((tx) => createJob(tx, events, definition, { ...job, needs: [first.id] }));
  await prisma.$transaction(async (tx) => {
    await events.append(tx, inboxTopic(user.id), { notificationId: ids.ntf });
    await events.append(tx, viewerTopic(user.id), { reason: 'PROFILE' });
  });
  return first;
}
