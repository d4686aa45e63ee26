const QUOTE = 0x22;
const COMMA = 0x2c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** The texts of the items of a JSON list; for an object those of its members, with their keys. No white space in it. */
export function itemsOf(text: string): string[] {
  const items: string[] = [];
  let depth = 0;
  let start = 1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (OPENING.has(code)) depth++;
    else if (CLOSING.has(code) && --depth === 0) {
      if (at > start) items.push(text.slice(start, at));
    } else if (code === COMMA && depth === 1) {
      items.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return items;
}

/** The texts of the values in an object of variables, by name: names of GraphQL are written without escapes. */
export function variableTexts(text: string): Map<string, string> {
  const texts = new Map<string, string>();
  for (const member of itemsOf(text)) {
    const end = member.indexOf('"', 1);
    texts.set(member.slice(1, end), member.slice(end + 2));
  }
  return texts;
}

/** The place of the quote that ends a string. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let first = end;
    while (text[first - 1] === '\\') first--;
    if ((end - first) % 2 === 0) return end;
  }
  return text.length;
}
