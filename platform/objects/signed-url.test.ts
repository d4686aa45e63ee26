import { newId } from '../ids';
import { deriveDownloadKey, signDownload, verifyDownload, type DownloadGrant } from './signed-url';

const key = deriveDownloadKey('a secret of at least thirty-two characters');
const grant: DownloadGrant = {
  objectId: newId('fil'),
  disposition: 'INLINE',
  expiresAt: new Date('2026-11-20T12:00:00Z'),
};
const before = new Date('2026-11-20T11:59:59Z');
const link = (base = 'https://sauti.example'): URL => new URL(signDownload(key, base, grant));

test('a link grants what was signed until the second it expires', () => {
  expect(verifyDownload(key, link(), before)).toEqual(grant);
  expect(verifyDownload(key, link(), grant.expiresAt)).toBeNull();
});

test('a link lies below the path of its base', () => {
  expect(link('https://sauti.example/api').pathname).toBe(`/api/files/${grant.objectId}`);
  expect(link('https://sauti.example/api/').pathname).toBe(`/api/files/${grant.objectId}`);
});

test('a link that was changed in any part, or signed with another secret, grants nothing', () => {
  const changes: ((url: URL) => unknown)[] = [
    (url) => (url.pathname = `/files/${newId('fil')}`),
    (url) => (url.pathname = url.pathname.toUpperCase()),
    (url) => (url.pathname += '/'),
    (url) => url.searchParams.set('expires', '99999999999'),
    (url) => url.searchParams.set('disposition', 'attachment'),
    (url) => url.searchParams.delete('disposition'),
    (url) => url.searchParams.set('signature', ''),
    (url) => url.searchParams.set('signature', url.searchParams.get('signature')!.slice(0, -1)),
    (url) => url.searchParams.delete('signature'),
  ];
  for (const change of changes) {
    const url = link();
    change(url);
    expect([url.href, verifyDownload(key, url, before)]).toEqual([url.href, null]);
  }
  expect(verifyDownload(deriveDownloadKey('another secret of thirty-two characters!'), link(), before)).toBeNull();
});
