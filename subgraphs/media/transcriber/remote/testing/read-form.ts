import busboy from 'busboy';
import { once } from 'node:events';
import type { Call } from './peer';

export interface Form {
  /** Every field in order. */
  fields: [name: string, value: string][];
  files: { name: string; filename: string; type: string; bytes: Buffer }[];
}

/** Reads multipart/form-data with a parser that is not undici's. */
export async function readForm({ headers, body }: Call): Promise<Form> {
  const form: Form = { fields: [], files: [] };
  const parser = busboy({ headers });
  parser.on('field', (name, value) => form.fields.push([name, value]));
  parser.on('file', (name, stream, { filename, mimeType }) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => form.files.push({ name, filename, type: mimeType, bytes: Buffer.concat(chunks) }));
  });
  parser.end(body);
  await once(parser, 'close');
  return form;
}
