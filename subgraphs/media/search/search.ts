import { readConnection, type Connection, type PageRequest } from '../../../platform/connection';
import { SautiError } from '../../../platform/errors';
import type { Viewer } from '../../../platform/identity/viewer';
import type { LibraryFilter } from '../records';
import { highlightOf, momentOf } from './highlight';
import type { FoundText, SearchKey, SearchRecords } from './search-records';

/** Something found, as the graph shows it. */
export interface Hit {
  mediaId: string;
  segmentId: string | null;
  highlight: string;
  atMs: number | null;
  score: number;
}

type KeyedHit = Hit & SearchKey;

const MAX_QUERY_LENGTH = 200;

/** Finds words in what belongs to an account. */
export class Search {
  constructor(private readonly records: SearchRecords) {}

  /**
   * Where the words are: in title, artist, tags and description of a recording, or within one segment of its newest
   * complete transcript, as it is now. Whole words are found, in any case; in English also other forms of them. Accents
   * count. Pages go by score, which depends on the text and the query only, so what is added meanwhile shifts nothing.
   * Throws BAD_USER_INPUT for a page out of bounds, and for a query without a word to look for.
   */
  async find(viewer: Viewer, query: string, page: PageRequest, filter: LibraryFilter): Promise<Connection<Hit>> {
    const text = await this.checkedQuery(query);
    return readConnection<KeyedHit>(page, asKey, async (take, key) => {
      const after = key === null ? null : fromKey(key);
      const found = await this.records.find(viewer.userId, text, filter, { take, after });
      return found.map(asHit);
    });
  }

  private async checkedQuery(query: string): Promise<string> {
    const text = query.trim().normalize('NFC');
    const length = [...text].length;
    // PostgreSQL takes no NUL and no half characters.
    if (length > MAX_QUERY_LENGTH || /[\0\p{Cs}]/u.test(text)) {
      throw badQuery(`has at most ${MAX_QUERY_LENGTH} characters and no NUL; this one has ${length}.`);
    }
    if (!(await this.records.canFind(text))) throw badQuery('must hold at least one word to look for.');
    return text;
  }
}

function asHit(found: FoundText): KeyedHit {
  const { id, mediaId, score, segment } = found;
  return { id, mediaId, score, segmentId: segment?.id ?? null, highlight: highlightOf(found), atMs: momentOf(found) };
}

/** The score bit by bit, so that the next page begins exactly there. */
function asKey({ score, id }: SearchKey): string {
  const bits = Buffer.alloc(8);
  bits.writeDoubleBE(score);
  return `${bits.toString('hex')}-${id}`;
}

function fromKey(key: string): SearchKey {
  const [, bits, id] = /^([0-9a-f]{16})-((?:med|seg)_[0-9a-z]{26})$/.exec(key) ?? [];
  const score = bits === undefined ? NaN : Buffer.from(bits, 'hex').readDoubleBE();
  if (id === undefined || !Number.isFinite(score)) {
    throw new SautiError('BAD_USER_INPUT', '"after" is not a cursor of this list.');
  }
  return { score, id };
}

function badQuery(what: string): SautiError {
  return new SautiError('BAD_USER_INPUT', `"query" ${what}`);
}
