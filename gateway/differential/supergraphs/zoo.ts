import { aHashSupergraph, FEDERATION, type HashSupergraph } from './compose';

/**
 * Six subgraphs rich in abstract types: an entity interface with an interface object in two subgraphs, interfaces of
 * value types, unions, compound, nested and several keys, value types in several subgraphs, an overridden field.
 */
const TYPE_DEFS: Record<string, string> = {
  animals: `${FEDERATION}
    type Query { animal(id: ID, style: Style = SHORT): Animal  animals(first: Int = 3): [Animal!]!  cat: Cat  dogs: [Dog]
      herd: [[Animal]!]  anything: [Thing!]!  owner: Owner!  pet: Pet  labels: [Label!] @shareable }
    type Mutation { adopt(animal: ID!, by: AdoptInput): Animal  release(id: ID!): Cat! }
    enum Style { SHORT LONG FORMAL }
    input AdoptInput { owner: ID!  style: Style = LONG  notes: [String!]  inner: AdoptInput }
    interface Animal @key(fields: "id") { id: ID!  name(style: Style = SHORT): String!  label: Label  friend: Animal  likes: [Thing] }
    interface Pet { name(style: Style = SHORT): String!  owner: Owner }
    type Cat implements Animal & Pet @key(fields: "id") { id: ID!  name(style: Style = SHORT): String!  label: Label  friend: Animal  likes: [Thing]  lives: Int!  owner: Owner  prey: [Bird!] }
    type Dog implements Animal & Pet @key(fields: "id") { id: ID!  name(style: Style = SHORT): String!  label: Label  friend: Cat  likes: [Thing]  tricks(first: Int, of: Style): [String]!  owner: Owner  size: Int }
    type Bird implements Animal @key(fields: "id") { id: ID!  name(style: Style = SHORT): String!  label: Label  friend: Animal  likes: [Thing]  wingspan: Float  size: String  nest: Place }
    union Thing = Cat | Bird | Label | Place
    type Label @shareable { text: String!  color: String  parts: [Part!]! }
    interface Part { at: Int! }
    type Stripe implements Part @shareable { at: Int!  width: Float  label: Label }
    type Dot implements Part @shareable { at: Int!  radius: Int!  stripe: Stripe }
    type Owner @key(fields: "id") { id: ID!  pets: [Pet!]!  first: Pet }
    type Place @key(fields: "region { code } number") { region: Region!  number: Int! }
    type Region @shareable { code: ID!  title: String }`,
  health: `${FEDERATION}
    type Query { sick: [Animal!]!  vet(id: ID!): Vet  worst: Animal }
    type Animal @key(fields: "id") @interfaceObject { id: ID!  vet: Vet  checkups(last: Int = 2, kind: Kind): [Checkup!]!  weight: Float! }
    enum Kind { TEETH FUR EYES @inaccessible }
    type Checkup @key(fields: "id") @key(fields: "animal { id } day") { id: ID!  day: Int!  animal: Animal!  kind: Kind  by: Vet!  finding: Finding }
    union Finding = Healthy | Ill | Label
    type Healthy { since: Int }
    type Ill { since: String  worse: Ill  treated: Boolean! }
    type Label @shareable { text: String!  color: String  parts: [Part!]! }
    interface Part { at: Int! }
    type Stripe implements Part @shareable { at: Int!  width: Float  label: Label }
    type Dot implements Part @shareable { at: Int!  radius: Int!  stripe: Stripe }
    type Vet @key(fields: "id") { id: ID!  name: String  patients: [Animal]  place: Place }
    type Place @key(fields: "slug") { slug: ID!  vets: [Vet!] }`,
  places: `${FEDERATION}
    type Query { place(at: PlaceInput!): Place  places: [Place!]!  labels: [Label!] @shareable }
    type Mutation { close(place: PlaceInput!): Place }
    input PlaceInput { region: ID!  number: Int! = 7  tags: [[String]!]  near: PlaceInput }
    type Place @key(fields: "slug") @key(fields: "region { code } number") { slug: ID!  region: Region!  number: Int!  name: String!  open(on: Int): Boolean  inside: [Place]  secret: String @inaccessible  image(px: Int! = 100, as: Format = PNG): Image }
    enum Format { PNG JPEG }
    type Region @shareable { code: ID!  title: String }
    type Image @shareable { url: String!  alt: String }
    type Label @shareable { text: String!  color: String  parts: [Part!]! }
    interface Part { at: Int! }
    type Stripe implements Part @shareable { at: Int!  width: Float  label: Label }
    type Dot implements Part @shareable { at: Int!  radius: Int!  stripe: Stripe }`,
  people: `${FEDERATION}
    type Query { person(id: ID!): Being  people(first: Int): [Being!]!  keeper: Keeper }
    interface Being { id: ID!  email: String  image: Image }
    type Owner implements Being @key(fields: "id") @key(fields: "email") { id: ID!  email: String!  image: Image  lives: String  home: Place  friends: [Owner]! }
    type Keeper implements Being @key(fields: "email name { first last }") { id: ID!  email: String!  name: Name!  image: Image  lives: Int  feeds: [Animal!] }
    type Vet implements Being @key(fields: "id") { id: ID!  email: String  image: Image }
    type Name @shareable { first: String!  last: String!  full: String }
    type Image @shareable { url: String!  alt: String }
    type Place @key(fields: "region { code } number", resolvable: false) { region: Region!  number: Int! }
    type Region @shareable { code: ID!  title: String }
    type Animal @key(fields: "id", resolvable: false) @interfaceObject { id: ID! }`,
  photos: `${FEDERATION}
    type Query { photos(of: [ID!], first: Int = 2): [Photo]  photo: Photo! }
    type Photo @key(fields: "id") { id: ID!  image: Image!  shows: Subject  showing: [Subject!]!  meta: Meta  taken(zone: String = "UTC"): Int }
    union Subject = Owner | Keeper | Place | Cat
    type Owner @key(fields: "email") { email: String!  photos: [Photo!]!  portrait: Photo }
    type Keeper @key(fields: "email name { first last }") { email: String!  name: Name!  photos: [Photo!]  badge: Badge }
    type Name @shareable { first: String!  last: String!  full: String }
    type Badge { number: Int!  photo: Photo }
    type Cat @key(fields: "id") { id: ID!  photos: [Photo!]! }
    type Place @key(fields: "slug") { slug: ID!  photos(first: Int = 1): [Photo!]!  map: Image }
    interface Meta { note: String }
    type Exif implements Meta { note: String  camera: JSON  place: Place }
    type Scan implements Meta { note: String  dpi: Int  by: Keeper }
    scalar JSON
    type Image @shareable { url: String!  alt: String }`,
  fame: `${FEDERATION}
    type Query { famous: [Famous!]!  star: Animal }
    union Famous = Owner | Vet | Checkup | Photo
    type Animal @key(fields: "id") @interfaceObject { id: ID!  fans(min: Int = 0): Int  idol: Animal }
    type Owner @key(fields: "id") { id: ID!  fans: Int!  claims: [Claim!]  lives: String @override(from: "people") }
    type Vet @key(fields: "id") { id: ID!  fans: Int }
    type Checkup @key(fields: "animal { id } day") { animal: Animal!  day: Int!  rumour: String }
    type Photo @key(fields: "id") { id: ID!  claims: [Claim] }
    type Claim { text: String!  about: Famous  by: Owner }`,
};

export function zoo(): HashSupergraph {
  return { ...aHashSupergraph('zoo', TYPE_DEFS), largest: { fields: 16, depth: 4 } };
}
