import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Upload } from 'graphql-upload-minimal';

interface FilePlace {
  upload: Upload;
  /** Where it goes, e.g. `variables.input.file`. */
  path: string;
}

/** Finds the uploads among variables, and what the variables are without them. */
export function uploadsIn(variables: Record<string, unknown>): {
  variables: Record<string, unknown>;
  files: FilePlace[];
} {
  const files: FilePlace[] = [];
  const without = (value: unknown, path: string): unknown => {
    if (value instanceof Upload) {
      files.push({ upload: value, path });
      return null;
    }
    if (Array.isArray(value)) return value.map((item, index) => without(item, `${path}.${index}`));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, without(item, `${path}.${key}`)]));
  };
  return { variables: without(variables, 'variables') as Record<string, unknown>, files };
}

/**
 * A GraphQL multipart request (https://github.com/jaydenseric/graphql-multipart-request-spec) that is written while its
 * files still arrive: nothing is held but the chunk under way. A file that fails makes the iteration throw, so the
 * receiver sees a body without an end instead of a short file.
 */
export function multipartBody(
  operations: string,
  files: readonly FilePlace[],
): { headers: string[]; chunks: AsyncGenerator<Buffer> } {
  const boundary = `sauti-${randomUUID()}`;
  const map = Object.fromEntries(files.map(({ path }, index) => [String(index), [path]]));
  const text = (value: string): Buffer => Buffer.from(value, 'utf8');

  async function* chunks(): AsyncGenerator<Buffer> {
    yield text(`--${boundary}\r\ncontent-disposition: form-data; name="operations"\r\n\r\n${operations}\r\n`);
    yield text(`--${boundary}\r\ncontent-disposition: form-data; name="map"\r\n\r\n${JSON.stringify(map)}\r\n`);
    for (const [index, { upload }] of files.entries()) {
      const file = await upload.promise;
      const type = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(file.mimetype) ? file.mimetype : 'application/octet-stream';
      yield text(
        `--${boundary}\r\ncontent-disposition: form-data; name="${index}"; filename="${quoted(file.filename)}"\r\ncontent-type: ${type}\r\n\r\n`,
      );
      yield* file.createReadStream() as Readable as AsyncIterable<Buffer>;
      yield text('\r\n');
    }
    yield text(`--${boundary}--\r\n`);
  }
  return {
    // Apollo's servers take a multipart request only with a header that a plain HTML form cannot send.
    headers: ['content-type', `multipart/form-data; boundary=${boundary}`, 'apollo-require-preflight', 'true'],
    chunks: chunks(),
  };
}

/** A file name inside quotes, escaped as browsers do (HTML Standard, multipart/form-data encoding). */
function quoted(fileName: string): string {
  return fileName.replace(/["\r\n]/g, (character) => encodeURIComponent(character));
}
