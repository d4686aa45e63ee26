import type { IncomingMessage } from 'node:http';
import { isIP, isIPv6 } from 'node:net';
import proxyAddress from 'proxy-addr';

/** Where requests come from, as far as that can be believed. */
export interface ClientSource {
  /**
   * The client's address; of IPv6 its network of 64 bits, which one client has as a whole. Null when the connection has none. Of
   * X-Forwarded-For only what trusted proxies wrote counts, the last of them first; other headers of that kind never do.
   */
  addressOf(request: IncomingMessage): string | null;
  /** Whether the client's own connection is encrypted. */
  isSecure(request: IncomingMessage): boolean;
}

/** Trusts the proxies at these addresses, networks (CIDR), or `loopback`, `linklocal`, `uniquelocal`. Throws for anything else. */
export function clientSource(trustedProxies: readonly string[]): ClientSource {
  const trust = proxyAddress.compile([...trustedProxies]);
  const isTrusted = (request: IncomingMessage): boolean =>
    trustedProxies.length > 0 && trust(request.socket.remoteAddress ?? '', 0);
  return {
    addressOf(request) {
      const direct = request.socket.remoteAddress;
      if (direct === undefined) return null;
      if (!isTrusted(request)) return networkOf(direct);
      const claimed = proxyAddress(request, trust);
      // Some proxies add the port, some write "unknown": then the proxy itself is all that is known.
      return networkOf(withoutPort(claimed) ?? direct);
    },
    isSecure(request) {
      if ((request.socket as { encrypted?: boolean }).encrypted) return true;
      // A chain of proxies adds its own at the end; the trusted hop is the last one.
      const schemes = String(request.headers['x-forwarded-proto'] ?? '').split(',');
      return isTrusted(request) && schemes.at(-1)!.trim().toLowerCase() === 'https';
    },
  };
}

function withoutPort(text: string): string | undefined {
  const address = /^\[(.+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  return isIP(address) ? address : undefined;
}

/** An IPv4 address as it is, also one that is written as IPv6; of an IPv6 address the first 64 bits. */
function networkOf(address: string): string {
  const plain = address.replace(/%.*$/, '').toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1];
  if (mapped) return mapped;
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const groupsOf = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const first = groupsOf(head);
  // An IPv4 address at the end stands for two groups.
  const last = groupsOf(tail ?? '').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array<string>(zeros).fill('0'), ...last];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
