import type { HashSupergraph } from './compose';
import { orders } from './orders';
import { sauti } from './sauti';
import { shop } from './shop';
import { zoo } from './zoo';

/** The supergraphs of the differential test by name. */
export const SUPERGRAPHS: Readonly<Record<string, () => HashSupergraph>> = { sauti, shop, zoo, orders };
