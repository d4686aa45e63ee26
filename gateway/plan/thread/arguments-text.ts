import { Kind, print, type ArgumentNode, type ConstArgumentNode, type ValueNode } from 'graphql';

/** Arguments as a text that is equal when their order and the order of their objects' fields is the only difference. */
export function argumentsText(nodes: readonly (ArgumentNode | ConstArgumentNode)[] | undefined): string {
  return (nodes ?? [])
    .map((node) => `${node.name.value}:${print(sorted(node.value))}`)
    .sort()
    .join(',');
}

function sorted(value: ValueNode): ValueNode {
  if (value.kind === Kind.LIST) return { ...value, values: value.values.map(sorted) };
  if (value.kind !== Kind.OBJECT) return value;
  const fields = value.fields.map((field) => ({ ...field, value: sorted(field.value) }));
  return { ...value, fields: fields.sort((a, b) => (a.name.value < b.name.value ? -1 : 1)) };
}
