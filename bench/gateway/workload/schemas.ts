/** The subgraphs of the workload, in the order in which they are composed. */
export const SUBGRAPH_NAMES = ['accounts', 'inventory', 'products', 'reviews'] as const;
export type SubgraphName = (typeof SUBGRAPH_NAMES)[number];

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@external", "@requires", "@shareable"])';

/** Schema text of each subgraph: the shape of the well-known public federation benchmark. */
export const SUBGRAPH_SCHEMAS: Record<SubgraphName, string> = {
  accounts: `${LINK}
    type Query {
      me: User!
      users: [User!]!
    }
    type User @key(fields: "id") {
      id: ID!
      name: String!
      username: String!
      birthday: String!
    }`,
  inventory: `${LINK}
    type Product @key(fields: "upc") {
      upc: String!
      price: Int! @external
      weight: Int! @external
      inStock: Boolean!
      shippingEstimate: Int @requires(fields: "price weight")
    }`,
  products: `${LINK}
    type Query {
      topProducts(first: Int = 5): [Product!]!
    }
    type Product @key(fields: "upc") {
      upc: String!
      name: String!
      price: Int!
      weight: Int!
    }`,
  reviews: `${LINK}
    type Review @key(fields: "id") {
      id: ID!
      body: String!
      author: User!
      product: Product!
    }
    type User @key(fields: "id") {
      id: ID!
      reviews: [Review!]!
    }
    type Product @key(fields: "upc") {
      upc: String!
      reviews: [Review!]!
    }`,
};

/** The same graph as one schema: what the oracle answers from. */
export const UNSPLIT_SCHEMA = `
  type Query {
    me: User!
    users: [User!]!
    topProducts(first: Int = 5): [Product!]!
  }
  type User {
    id: ID!
    name: String!
    username: String!
    birthday: String!
    reviews: [Review!]!
  }
  type Product {
    upc: String!
    name: String!
    price: Int!
    weight: Int!
    inStock: Boolean!
    shippingEstimate: Int
    reviews: [Review!]!
  }
  type Review {
    id: ID!
    body: String!
    author: User!
    product: Product!
  }`;
