import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { repositoryRoot } from '../../../../platform/root';

/** A real provider in a child process, and somebody who signs in there with a browser. */
export interface RealProvider extends AsyncDisposable {
  issuer: string;
  /** What the provider says about somebody from now on. */
  knows(id: string, claims: object): Promise<void>;
  /** Signs in at the page behind an authorization URL, consents, and answers what arrives at the redirect address. */
  signIn(authorizationUrl: string, id: string): Promise<URLSearchParams>;
}

export const CLIENT_ID = 'sauti';
export const CLIENT_SECRET = 'only tests know it';

export async function aRealProvider(redirectUris: readonly string[]): Promise<RealProvider> {
  const script = path.join(repositoryRoot(), 'subgraphs/users/oauth/testing/provider.mjs');
  const child = spawn(process.execPath, [script, ...redirectUris], { stdio: ['pipe', 'pipe', 'ignore'] });
  const [issuer] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {
    issuer,
    async knows(id, claims) {
      await fetch(`${issuer}/accounts`, { method: 'POST', body: JSON.stringify({ id, claims }) });
    },
    signIn: (authorizationUrl, id) => new Browser(issuer).signIn(authorizationUrl, id),
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}

/** As much of a browser as the provider's two forms need. */
class Browser {
  private readonly cookies = new Map<string, string>();

  constructor(private readonly issuer: string) {}

  async signIn(authorizationUrl: string, id: string): Promise<URLSearchParams> {
    let url = new URL(authorizationUrl);
    let form: URLSearchParams | undefined;
    while (url.origin === new URL(this.issuer).origin) {
      const response = await this.open(url, form);
      const location = response.headers.get('location');
      if (location !== null) {
        [url, form] = [new URL(location, url), undefined];
        continue;
      }
      const page = await response.text();
      const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
      if (!prompt) throw new Error(`The provider showed no form at ${url.href} (${response.status}): ${page}`);
      form = new URLSearchParams({ prompt, login: id, password: 'any' });
    }
    return url.searchParams;
  }

  private async open(url: URL, form: URLSearchParams | undefined): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const sent = form ? { method: 'POST', body: form } : {};
    const response = await fetch(url, { redirect: 'manual', headers: { cookie }, ...sent });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      this.cookies.set(name!, value!);
    }
    return response;
  }
}
