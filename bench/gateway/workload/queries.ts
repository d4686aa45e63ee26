export const QUERY_NAMES = ['heavy', 'mid', 'small'] as const;
export type QueryName = (typeof QUERY_NAMES)[number];

/**
 * heavy: every subgraph, nested until the planner needs about 16 calls; mid: three levels and four calls; small: one
 * call to one subgraph.
 */
export const QUERIES: Record<QueryName, string> = {
  heavy: `
    query Heavy {
      users {
        ...Person
        reviews {
          ...Opinion
          product {
            ...Thing
            reviews {
              ...Opinion
              author {
                ...Person
                reviews {
                  ...Opinion
                  product {
                    ...Thing
                  }
                }
              }
            }
          }
        }
      }
      topProducts {
        ...Thing
        reviews {
          ...Opinion
          author {
            ...Person
            reviews {
              ...Opinion
              product {
                ...Thing
              }
            }
          }
        }
      }
    }
    fragment Person on User {
      id
      username
      name
    }
    fragment Opinion on Review {
      id
      body
    }
    fragment Thing on Product {
      upc
      name
      price
      weight
      inStock
      shippingEstimate
    }`,
  mid: `
    query Mid {
      topProducts(first: 8) {
        upc
        name
        price
        inStock
        reviews {
          id
          body
          author {
            id
            name
          }
        }
      }
    }`,
  small: `
    query Small {
      me {
        id
        name
        username
      }
    }`,
};
