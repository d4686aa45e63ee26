import type { Facts, Shape } from './facts';

/** Where resolvers throw now and then. */
export type Failures = 'none' | 'nullable' | 'any';

interface Place {
  facts: Facts;
  isKeyPart: boolean;
  field: string;
  /** Number of the object that the field belongs to. */
  n: number;
}

/** Numbers of objects without a key: enough to differ, few enough to meet again. */
const VALUE_OBJECTS = 97;
const STRINGS = ['', '"quoted"', 'line\nbreak \\ back', 'naïve 😀', 'null', '{"a":[1]}', '\u2028'];

/** Whether the resolver of a field throws here. */
export function failsAt(shape: Shape, chance: number, failures: Failures): boolean {
  if (failures === 'none' || (shape.isNonNull && failures === 'nullable')) return false;
  return mix(chance, 1) % (shape.isNonNull ? 60 : 25) === 0;
}

/** A value of this shape; the same for the same chance. */
export function makeValue(shape: Shape, chance: number, place: Place): unknown {
  if (!shape.isNonNull && !place.isKeyPart && mix(chance, 2) % 9 === 0) return null;
  if (shape.kind === 'list') {
    const length = mix(chance, 3) % 4;
    return Array.from({ length }, (_, index) => makeValue(shape.item, mix(chance, 10 + index), place));
  }
  if (shape.kind === 'enum') return shape.values[mix(chance, 4) % shape.values.length];
  if (shape.kind === 'scalar') return makeScalar(shape.name, mix(chance, 5), place);
  const type = shape.types[mix(chance, 6) % shape.types.length]!;
  const numbers = place.facts.numbersOf(type);
  // The parts of a key must tell its entities apart, so they take over the entity's number.
  if (!numbers) return { type, n: place.isKeyPart ? place.n : mix(chance, 7) % VALUE_OBJECTS };
  return { type, n: numbers[mix(chance, 7) % numbers.length]! };
}

function makeScalar(name: string, chance: number, { isKeyPart, field }: Place): unknown {
  switch (name) {
    case 'Int':
      return isKeyPart ? chance % 1_000_000_007 : (chance % 2_001) - 1_000;
    case 'Float':
      return (chance % 8_001) / 16 - 250;
    case 'Boolean':
      return chance % 2 === 0;
    case 'ID':
      return isKeyPart || chance % 3 > 0 ? `${field}-${chance.toString(36)}` : String(chance % 1_000);
    case 'JSON':
      return { a: [chance % 10, null, { b: field }], n: chance, __proto: false };
    case 'Long':
      return chance * 4_096;
    default:
      return isKeyPart || chance % 5 > 0 ? `${field} ${chance.toString(36)}` : STRINGS[chance % STRINGS.length];
  }
}

/** Another hash of a hash. */
function mix(h: number, salt: number): number {
  let m = Math.imul(h ^ Math.imul(salt, 0x9e3779b1), 0x85ebca6b);
  m = Math.imul(m ^ (m >>> 15), 0xc2b2ae35);
  return (m ^ (m >>> 13)) >>> 0;
}
