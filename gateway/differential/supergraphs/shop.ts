import { TYPE_DEFS } from '../../testing/shop';
import { aHashSupergraph, type HashSupergraph } from './compose';

/** The shop that the other tests of the gateway use, here with values out of a hash world. */
export function shop(): HashSupergraph {
  return aHashSupergraph('shop', TYPE_DEFS);
}
