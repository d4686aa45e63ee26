/** Reads what follows a flag of a program: a whole number from `least`. The error ends with how the program is used. */
export function wholeNumber(text: string, flag: string, least: number, usage: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least)
    throw new Error(`--${flag} must be a whole number from ${least}; it is "${text}".\n\n${usage}`);
  return value;
}

/** Reads names between commas, each one of those known. */
export function namesAmong<Name extends string>(text: string, known: readonly Name[], usage: string): Name[] {
  return text.split(',').map((given) => {
    const found = known.find((name) => name === given.trim());
    if (found === undefined) throw new Error(`"${given}" is none of ${known.join(', ')}.\n\n${usage}`);
    return found;
  });
}
