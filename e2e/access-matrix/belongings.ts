import { newId } from '../../platform/ids';
import { createJob } from '../../platform/jobs/job';
import { createSeal } from '../../platform/seal';
import type { Platform } from '../../platform/platform';
import { translateTranscriptJob } from '../../subgraphs/media/jobs/translate-transcript';
import { heard, type MediaSlice } from '../../subgraphs/media/testing';
import { aLiveTranscript, aTranscript } from '../../subgraphs/media/testing-transcripts';
import type { Account } from './identities';
import type { Belongings } from './rule';

/** One of everything, new, for an account: what it names in the places that are not the one in question. */
export async function belongingsOf(slice: MediaSlice, { viewer }: Account): Promise<Belongings> {
  return {
    usr: viewer.userId,
    ...(await recordingOf(slice, viewer)),
    ...(await partsOfAccount(slice.platform, viewer.userId)),
  };
}

async function recordingOf(
  slice: MediaSlice,
  viewer: Account['viewer'],
): Promise<Pick<Belongings, 'med' | 'fil' | 'trn' | 'seg' | 'spk' | 'ttr' | 'rnd' | 'job' | 'liv' | 'ntf'>> {
  const { platform } = slice;
  const { prisma } = platform.database;
  const ownerId = viewer.userId;
  const given = await aTranscript(slice, viewer, [{ ...heard(0, 0, 'One.'), speakerKey: 'Speaker 1' }]);
  const { mediaId, transcriptId, segmentIds, speakerIds } = given;
  // Nobody has to look into the file.
  const { fileId } = await prisma.media.update({ where: { id: mediaId }, data: { durationMs: 10_000 } });
  await prisma.mediaFacts.create({ data: { mediaId, probeKnown: true } });
  const job = await prisma.$transaction((tx) => {
    const payload = { jobId: 'job', transcriptId, language: 'ca' };
    return createJob(tx, platform.events, translateTranscriptJob, { ownerId, subjectId: mediaId, payload });
  });
  const translation = { id: newId('ttr'), transcriptId, jobId: job.id, language: 'ca' };
  await prisma.transcriptTranslation.create({ data: translation });
  const rendition = { id: newId('rnd'), mediaId, jobId: newId('job'), preset: 'MP3', mimeType: 'audio/mpeg' } as const;
  await prisma.rendition.create({ data: { ...rendition, fileId } });
  const { sessionId: liv } = await aLiveTranscript(slice, viewer, []);
  const texts = { topic: 'transcript.ready', title: 'Ready', body: 'Read it.' };
  const ntf = newId('ntf');
  await prisma.notification.create({ data: { id: ntf, ownerId, subjectId: mediaId, jobId: job.id, ...texts } });
  return {
    ...{ med: mediaId, fil: fileId, trn: transcriptId, seg: segmentIds[0]!, spk: speakerIds['Speaker 1']! },
    ...{ ttr: translation.id, rnd: rendition.id, job: job.id, liv, ntf },
  };
}

async function partsOfAccount(
  { database: { prisma }, secret }: Platform,
  userId: string,
): Promise<Pick<Belongings, 'ses' | 'idn' | 'mfa' | 'mfp' | 'key' | 'aud' | 'acj'>> {
  const ids = {
    ses: newId('ses'),
    idn: newId('idn'),
    mfa: newId('mfa'),
    mfp: newId('mfa'),
    key: newId('key'),
    aud: newId('aud'),
    acj: newId('job'),
  };
  const expiresAt = new Date(Date.now() + 3_600_000);
  await prisma.session.create({ data: { id: ids.ses, userId, deviceName: 'Another device', expiresAt } });
  await prisma.identity.create({ data: { id: ids.idn, userId, provider: 'example', subject: ids.idn } });
  await prisma.mfaFactor.create({ data: { id: ids.mfa, userId, name: 'Phone', secret: '', confirmedAt: new Date() } });
  await prisma.mfaFactor.create({
    data: { id: ids.mfp, userId, name: 'Tablet', secret: createSeal(secret, 'totp').seal('JBSWY3DPEHPK3PXP') },
  });
  await prisma.apiKey.create({
    data: { id: ids.key, userId, name: 'Robot', prefix: 'sauti_test', keyHash: ids.key, scopes: ['media:read'] },
  });
  await prisma.auditEvent.create({
    data: { id: ids.aud, action: 'session.started', actorId: userId, subjectId: userId },
  });
  await prisma.job.create({
    data: {
      ...{ id: ids.acj, kind: 'EXPORT_ACCOUNT', ownerId: userId, subjectId: userId, payload: {} },
      ...{ maxAttempts: 3, state: 'FAILED' },
    },
  });
  return ids;
}
