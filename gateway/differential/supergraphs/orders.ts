import { aHashSupergraph, FEDERATION, type HashSupergraph } from './compose';

/**
 * Five subgraphs rich in @requires (chained, nested, through lists and abstract types, with arguments), @provides,
 * arguments, enums and input objects with defaults. Each required field is required with one set of arguments only;
 * `known-planner-faults.ts` has the others.
 */
const TYPE_DEFS: Record<string, string> = {
  orders: `${FEDERATION}
    type Query { order(id: ID!): Order  orders(filter: OrderFilter = { state: OPEN, limit: 3 }, sort: [Sort!] = [{ by: DAY }]): [Order!]!  carts: [[Cart!]]  recent: Purchase  purchases(kinds: [Kind]): [Purchase] }
    type Mutation { place(input: PlaceInput!): Order!  cancel(id: ID!, why: Why = MIND): Order  note(text: String): Int! }
    enum State { OPEN PAID SHIPPED LOST @inaccessible }
    enum Kind { ORDER CART }
    enum By { DAY TOTAL }
    enum Why { MIND PRICE SLOW }
    input OrderFilter { state: State  limit: Int = 2  ids: [ID!]  any: [OrderFilter!]  since: SinceInput = { day: 1 } }
    input SinceInput { day: Int!  hour: Int = 12 }
    input Sort { by: By!  up: Boolean! = true }
    input PlaceInput { lines: [LineInput!]!  gift: Boolean = false  to: ID }
    input LineInput { sku: ID!  count: Int! = 1  options: [[String!]] }
    union Purchase = Order | Cart
    type Order @key(fields: "id") { id: ID!  state: State!  lines(first: Int = 2): [Line!]!  buyer: Customer!  seller: Customer @provides(fields: "name")  day(zone: String = "UTC"): Int!  parcel: Parcel  note: String }
    type Cart @key(fields: "id") { id: ID!  state: Int  lines(first: Int = 2): [Line!]!  holder: Customer  note: Int }
    type Line { count: Int!  item: Item!  spare: Item  price(currency: Currency = EUR, vat: Boolean = true): Float }
    enum Currency { EUR USD GBP }
    interface Item { sku: ID! }
    type Article implements Item @key(fields: "sku") { sku: ID! }
    type Service implements Item @key(fields: "sku") { sku: ID! }
    type Customer @key(fields: "id") { id: ID!  name: String! @external  orders(state: State): [Order!]! }
    type Parcel @shareable { id: ID!  size: Size }
    type Size @shareable { w: Int!  h: Int! }`,
  customers: `${FEDERATION}
    type Query { me: Customer!  customer(by: CustomerBy!): Customer  customers(ids: [ID!]!): [Customer]! }
    type Mutation { rename(id: ID!, name: String! = "Anon", address: AddressInput): Customer }
    input CustomerBy { id: ID  email: String  address: AddressInput }
    input AddressInput { street: String!  zip: Int  country: Country! = DE }
    enum Country { DE FR KE }
    type Customer @key(fields: "id") @key(fields: "email") { id: ID!  email: String!  name: String! @shareable  tier: Tier!  address(kind: String = "home"): Address  addresses: [Address!]!  born: Int }
    enum Tier { GOLD SILVER NONE }
    type Address @shareable { street: String!  zip: Int!  country: Country  geo: Geo }
    type Geo @shareable { lat: Float!  lon: Float! }`,
  stock: `${FEDERATION}
    type Query { articles(where: ArticleWhere): [Article!]!  item(sku: ID!): Item  scarce: Item }
    input ArticleWhere { min: Float = 0.5  max: Float  tags: [String]  not: ArticleWhere }
    interface Item { sku: ID!  title: String!  weight(unit: Unit = KG): Float! }
    enum Unit { KG LB }
    type Article implements Item @key(fields: "sku") @key(fields: "ean maker { id }") { sku: ID!  ean: String! @shareable  maker: Maker!  title: String!  weight(unit: Unit = KG): Float!  dims(unit: String! = "cm"): Dims!  shelf: [Shelf]  similar(first: Int = 2): [Article!]! }
    type Service implements Item @key(fields: "sku") { sku: ID!  title: String!  weight(unit: Unit = KG): Float!  hours: Int! }
    type Maker @key(fields: "id") { id: ID!  name: String!  based: Address }
    type Address @shareable { street: String!  zip: Int!  country: Country  geo: Geo }
    enum Country { DE FR KE }
    type Geo @shareable { lat: Float!  lon: Float! }
    type Dims { w: Float!  h: Float!  d: Float }
    union Shelf = Rack | Bin
    type Rack { row: Int!  level: Int! }
    type Bin { row: String!  full: Boolean! }`,
  shipping: `${FEDERATION}
    type Query { carriers: [Carrier!]!  nextParcel: Parcel }
    type Carrier { name: String!  ships: [Article!] @provides(fields: "ean") }
    type Parcel @shareable { id: ID!  size: Size }
    type Size @shareable { w: Int!  h: Int! }
    type Article @key(fields: "sku") { sku: ID!  ean: String! @external  weight(unit: Unit = KG): Float! @external  dims(unit: String! = "cm"): Dims! @external  shelf: [Shelf] @external
      volume: Float @requires(fields: "dims(unit: \\"mm\\") { w h d }")  postage(to: Country! = DE, fast: Boolean): Float! @requires(fields: "weight(unit: LB) shelf { __typename ... on Rack { row level } ... on Bin { full } }")  fragile: Boolean @requires(fields: "ean") }
    enum Unit { KG LB }
    enum Country { DE FR KE }
    type Dims { w: Float! @external  h: Float! @external  d: Float @external }
    union Shelf = Rack | Bin
    type Rack @external { row: Int!  level: Int! }
    type Bin @external { full: Boolean! }
    type Customer @key(fields: "id") { id: ID!  address(kind: String = "home"): Address @external  tier: Tier! @external  addresses: [Address!]! @external  zone: Zone @requires(fields: "address(kind: \\"post\\") { zip country }")  rate: Float! @requires(fields: "tier addresses { geo { lat lon } }") }
    enum Tier { GOLD SILVER NONE }
    enum Zone { NEAR FAR }
    type Address @shareable { street: String!  zip: Int!  country: Country  geo: Geo }
    type Geo @shareable { lat: Float!  lon: Float! }
    type Order @key(fields: "id") { id: ID!  state: State! @external  parcel: Parcel @external  eta: Int @requires(fields: "state parcel { size { w h } }") }
    enum State { OPEN PAID SHIPPED LOST @inaccessible }`,
  billing: `${FEDERATION}
    type Query { invoices(of: ID): [Invoice!] }
    type Invoice @key(fields: "order { id } part") { order: Order!  part: Int!  total(currency: Currency): Float!  payer: Payer }
    union Payer = Customer | Company
    type Company { name: String  customer: Customer }
    enum Currency { EUR USD GBP }
    type Order @key(fields: "id") { id: ID!  eta: Int @external  buyer: Customer! @external  invoices: [Invoice!]!  penalty(max: Int = 10): Float @requires(fields: "eta")  dunning: String @requires(fields: "buyer { id rate zone }") }
    type Customer @key(fields: "id") { id: ID!  rate: Float! @external  zone: Zone @external  name: String! @external  discount: Float @requires(fields: "rate")  greeting(loud: Boolean! = false): String! @requires(fields: "name zone") }
    enum Zone { NEAR FAR }
    type Article @key(fields: "ean maker { id }") { ean: String!  maker: Maker!  list: Float!  postage(to: Country! = DE, fast: Boolean): Float! @external  total: Float @requires(fields: "postage(to: KE)") }
    type Maker @key(fields: "id") { id: ID! }
    enum Country { DE FR KE }`,
};

export function orders(): HashSupergraph {
  return aHashSupergraph('orders', TYPE_DEFS);
}
