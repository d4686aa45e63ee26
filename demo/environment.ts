import path from 'node:path';
import { repositoryRoot } from '../platform/root';

/** The folder in which the Sauti of this clone keeps its data, and where `npm start` writes the address it answers at. */
export function dataDirectory(): string {
  return path.resolve(process.env['SAUTI_DATA_DIR'] ?? path.join(repositoryRoot(), '.sauti'));
}
