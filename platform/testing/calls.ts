import { Readable } from 'node:stream';
import { newId } from '../ids';
import { USER_SCOPES } from '../identity/scopes';
import type { CallIdentity, Viewer } from '../identity/viewer';
import type { Subgraph, SubgraphResult } from '../subgraph/subgraph';
import { Upload } from '../subgraph/uploads';

/** Somebody who is signed in, as a subgraph sees them. */
export function aViewer(): Viewer {
  return { userId: newId('usr'), sessionId: newId('ses'), scopes: [...USER_SCOPES] };
}

export function identityOf(viewer: Viewer | null): CallIdentity {
  return { viewer, requestId: 'test-request' };
}

/** Asks a subgraph in this process, as its gateway would. */
export function ask(
  subgraph: Subgraph,
  viewer: Viewer | null,
  query: string,
  variables: Record<string, unknown> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<SubgraphResult> {
  return subgraph.execute({ query, variables }, { identity: identityOf(viewer), signal });
}

/** Opens a subscription and leaves it behind its first result; `over` when it completes before. */
export async function firstOf(
  subgraph: Subgraph,
  viewer: Viewer | null,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<SubgraphResult | 'over'> {
  const { signal } = new AbortController();
  const stream = subgraph.subscribe({ query, variables }, { identity: identityOf(viewer), signal });
  const { value } = await stream.next();
  await stream.return();
  return value ?? 'over';
}

/** Like {@link ask}, and answers the data; fails when there are errors. */
export async function askFor<Data = Record<string, unknown>>(...parameters: Parameters<typeof ask>): Promise<Data> {
  const { data, errors } = await ask(...parameters);
  if (errors) throw new Error(`The subgraph answered with errors: ${JSON.stringify(errors)}`);
  return data as Data;
}

/** The value of an `Upload` variable, as the gateway hands it to a subgraph in the same process. */
export function anUpload(content: Uint8Array | string | Readable, filename = 'note.txt'): Upload {
  const stream = content instanceof Readable ? content : Readable.from([Buffer.from(content)]);
  // `resolve` is missing in the published type.
  const upload = new Upload() as Upload & { resolve(file: object): void };
  upload.resolve({
    filename,
    fieldName: '0',
    mimetype: 'application/octet-stream',
    encoding: '7bit',
    createReadStream: () => stream,
  });
  return upload;
}
