import type { FetchDataKeyRenamer, FetchNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import { Kind, parse, print, stripIgnoredCharacters, visit, type DocumentNode } from 'graphql';
import type { Twin } from './argument-twins';

/** Puts the fields that twins stand for into a fetch: aliased in its operation, under their own name in representations. */
export function restoreTwins(fetch: FetchNode, twins: ReadonlyMap<string, Twin>): FetchNode {
  const renamers = renamersOf(fetch.requires ?? [], twins, []);
  return {
    ...fetch,
    operation: restoreInOperation(fetch.operation, twins),
    // Before the planner's own, which may set another `__typename` than the paths of these test.
    ...(renamers.length > 0 ? { inputRewrites: [...renamers, ...(fetch.inputRewrites ?? [])] } : {}),
  };
}

function restoreInOperation(operation: string, twins: ReadonlyMap<string, Twin>): string {
  if (![...twins.keys()].some((name) => operation.includes(name))) return operation;
  return printOperation(
    visit(parse(operation, { noLocation: true }), {
      Field(node) {
        const twin = twins.get(node.name.value);
        if (!twin) return undefined;
        return {
          ...node,
          alias: node.alias ?? node.name,
          name: { kind: Kind.NAME, value: twin.field },
          // Arguments that the twin itself has come from `@fromContext`.
          arguments: [...twin.arguments, ...(node.arguments ?? [])],
        };
      },
    }),
  );
}

/** The text of an operation as the planner writes it: on one line. */
export function printOperation(document: DocumentNode): string {
  return stripIgnoredCharacters(print(document));
}

function renamersOf(
  selections: readonly QueryPlanSelectionNode[],
  twins: ReadonlyMap<string, Twin>,
  at: readonly string[],
): FetchDataKeyRenamer[] {
  return selections.flatMap((node): FetchDataKeyRenamer[] => {
    if (node.kind === 'InlineFragment') {
      return renamersOf(node.selections, twins, node.typeCondition ? [...at, `... on ${node.typeCondition}`] : at);
    }
    const name = node.alias ?? node.name;
    const twin = twins.get(node.name);
    // Deepest first: the path to what is inside still goes by the twin's name.
    return [
      ...renamersOf(node.selections ?? [], twins, [...at, name]),
      ...(twin ? [{ kind: 'KeyRenamer' as const, path: [...at, name], renameKeyTo: twin.field }] : []),
    ];
  });
}
