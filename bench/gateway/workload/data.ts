export interface User {
  id: string;
  name: string;
  username: string;
  birthday: string;
}

export interface Product {
  upc: string;
  name: string;
  price: number;
  weight: number;
  inStock: boolean;
}

export interface Review {
  id: string;
  body: string;
  authorId: string;
  productUpc: string;
}

const USER_COUNT = 6;
const PRODUCT_COUNT = 9;
const REVIEW_COUNT = 16;

/** The data behind every subgraph and behind the oracle; the same on every start. */
export const USERS: readonly User[] = Array.from({ length: USER_COUNT }, (_, index) => ({
  id: `u${index + 1}`,
  name: `Person Number ${index + 1}`,
  username: `person-${index + 1}`,
  birthday: `19${70 + index}-0${1 + (index % 9)}-1${index % 10}`,
}));

export const PRODUCTS: readonly Product[] = Array.from({ length: PRODUCT_COUNT }, (_, index) => ({
  upc: `p${index + 1}`,
  name: `A thing to buy, number ${index + 1}`,
  price: index % 4 === 3 ? 1_200 : 90 + index * 110,
  weight: 50 + ((index * 130) % 1_000),
  inStock: index % 3 !== 1,
}));

/** Steps that share no factor with the counts, so that authors and products meet in every combination. */
export const REVIEWS: readonly Review[] = Array.from({ length: REVIEW_COUNT }, (_, index) => ({
  id: `r${index + 1}`,
  body: `Opinion ${index + 1}: ${['love it', 'too expensive', 'could be better', 'prefer something else'][index % 4]}`,
  authorId: `u${((index * 5) % USER_COUNT) + 1}`,
  productUpc: `p${((index * 7) % PRODUCT_COUNT) + 1}`,
}));
