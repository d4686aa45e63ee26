import { newId } from '../ids';
import {
  deriveDownloadKey,
  signBundle,
  signDownload,
  verifyBundle,
  verifyDownload,
  type DownloadGrant,
} from './signed-url';

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

describe('a link to an object with parts', () => {
  const { objectId, expiresAt } = grant;
  const bundle = (name = 'main.m3u8'): URL =>
    new URL(signBundle(key, 'https://sauti.example/', { objectId, expiresAt }, name));

  test('grants every name relative to it until the second it expires', () => {
    expect(verifyBundle(key, bundle(), before)).toEqual({ objectId, expiresAt, name: 'main.m3u8' });
    const part = new URL('a%20part.mp4', bundle());
    expect(verifyBundle(key, part, before)).toEqual({ objectId, expiresAt, name: 'a part.mp4' });
    expect(verifyBundle(key, bundle(), expiresAt)).toBeNull();
    expect(verifyBundle(key, bundle('a/b?c#d'), before)).toMatchObject({ name: 'a/b?c#d' });
  });

  test('grants nothing when it was changed in any part, leads out of it, or was signed with another secret', () => {
    const [, , id, expires, signature] = bundle().pathname.split('/') as [string, string, string, string, string];
    const paths = [
      `/files/${newId('fil')}/${expires}/${signature}/main.m3u8`,
      `/files/${id}/${Number(expires) + 1}/${signature}/main.m3u8`,
      `/files/${id}/0${expires}/${signature}/main.m3u8`,
      `/files/${id}/${expires}/${signature.slice(0, -1)}/main.m3u8`,
      `/files/${id}/${expires}/${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}/main.m3u8`,
      `/files/${id}/${expires}//main.m3u8`,
      `/files/${id}/${expires}/${signature}/`,
      `/files/${id}/${expires}/${signature}/a/b`,
      `/files/${id}/${expires}/${signature}/%00`,
      `/files/${id}/${expires}/${signature}/%ff`,
      `/files/${id}/${expires}/${signature}`,
    ];
    for (const path of paths) {
      expect([path, verifyBundle(key, new URL(path, 'https://sauti.example'), before)]).toEqual([path, null]);
    }
    expect(verifyBundle(deriveDownloadKey('another secret of thirty-two characters!'), bundle(), before)).toBeNull();
  });

  test('and a link to one object are not each other', () => {
    const single = link();
    const expires = single.searchParams.get('expires');
    const asBundle = `/files/${objectId}/${expires}/${single.searchParams.get('signature')}/main.m3u8`;
    expect(verifyBundle(key, new URL(asBundle, single), before)).toBeNull();
    const [, , , , signature] = bundle().pathname.split('/');
    single.searchParams.set('signature', signature!);
    expect(verifyDownload(key, single, before)).toBeNull();
    single.searchParams.delete('disposition');
    expect(verifyDownload(key, single, before)).toBeNull();
  });
});
