import { PRODUCTS, REVIEWS, USERS, type Product, type Review } from './data';
import type { SubgraphName } from './schemas';

type Fields = Record<string, unknown>;

const byId = new Map(USERS.map((user) => [user.id, user]));
const byUpc = new Map(PRODUCTS.map((product) => [product.upc, product]));
const reviewById = new Map(REVIEWS.map((review) => [review.id, review]));

const accountsQuery: Fields = { me: () => USERS[0], users: () => USERS };
const productsQuery: Fields = {
  topProducts: (_root: unknown, { first }: { first: number }) => PRODUCTS.slice(0, first),
};

/** Costly things ship free, as in every shop: needs both fields that `@requires` names. */
const estimate = ({ price, weight }: Product): number => (price > 1_000 ? 0 : Math.round(weight / 2));

const reviewsOfUser = ({ id }: { id: string }): Review[] => REVIEWS.filter((review) => review.authorId === id);
const reviewsOfProduct = ({ upc }: { upc: string }): Review[] => REVIEWS.filter((review) => review.productUpc === upc);

/** Resolvers of each subgraph; nothing is known there that its schema does not say. */
export const SUBGRAPH_RESOLVERS: Record<SubgraphName, Record<string, Fields>> = {
  accounts: {
    Query: accountsQuery,
    User: { __resolveReference: ({ id }: { id: string }) => byId.get(id) },
  },
  inventory: {
    Product: {
      // Keeps what the gateway sent: the estimate must come from the representation, as in a real inventory.
      __resolveReference: (reference: Product) => ({ ...reference, inStock: byUpc.get(reference.upc)?.inStock }),
      shippingEstimate: estimate,
    },
  },
  products: {
    Query: productsQuery,
    Product: { __resolveReference: ({ upc }: { upc: string }) => byUpc.get(upc) },
  },
  reviews: {
    Review: {
      __resolveReference: ({ id }: { id: string }) => reviewById.get(id),
      author: ({ authorId }: Review) => ({ id: authorId }),
      product: ({ productUpc }: Review) => ({ upc: productUpc }),
    },
    User: { reviews: reviewsOfUser },
    Product: { reviews: reviewsOfProduct },
  },
};

/** The same rules over whole records, for the schema that is not split. */
export const UNSPLIT_RESOLVERS: Record<string, Fields> = {
  Query: { ...accountsQuery, ...productsQuery },
  User: { reviews: reviewsOfUser },
  Product: { shippingEstimate: estimate, reviews: reviewsOfProduct },
  Review: {
    author: ({ authorId }: Review) => byId.get(authorId),
    product: ({ productUpc }: Review) => byUpc.get(productUpc),
  },
};
