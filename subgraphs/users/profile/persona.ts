import { isJsonObject, type JsonObject } from './merge-patch';
import { isStorable } from './profile-checks';

const MAX_WORD_LENGTH = 60;
const MAX_INSTRUCTIONS_LENGTH = 2_000;

/** How the assistant presents itself, from `assistant` in the preferences. */
export interface AssistantPersona {
  name: string;
  tone: string;
  instructions: string | null;
}

/** What the preferences say about the assistant, completed. They were checked when they were saved. */
export function personaOf(preferences: unknown): AssistantPersona {
  const chosen = isJsonObject(preferences) && isJsonObject(preferences['assistant']) ? preferences['assistant'] : {};
  const text = (key: string): string | null => {
    const value = Object.hasOwn(chosen, key) ? chosen[key] : null;
    return typeof value === 'string' ? value : null;
  };
  return { name: text('name') ?? 'Sauti', tone: text('tone') ?? 'neutral', instructions: text('instructions') };
}

/** Why preferences cannot say this about the assistant, and at which key; null when they can, and when they say nothing. */
export function personaFault(preferences: JsonObject): { message: string; key: string[] } | null {
  if (!Object.hasOwn(preferences, 'assistant')) return null;
  const { assistant } = preferences;
  if (!isJsonObject(assistant)) return { message: '"assistant" is an object.', key: ['assistant'] };
  for (const word of ['name', 'tone']) {
    if (Object.hasOwn(assistant, word) && !isWord(assistant[word]))
      return {
        message: `The assistant's ${word} is a text of 1 to ${MAX_WORD_LENGTH} characters without control characters.`,
        key: ['assistant', word],
      };
  }
  if (Object.hasOwn(assistant, 'instructions') && !isText(assistant['instructions'], MAX_INSTRUCTIONS_LENGTH))
    return {
      message: `The assistant's instructions are a text of at most ${MAX_INSTRUCTIONS_LENGTH} characters.`,
      key: ['assistant', 'instructions'],
    };
  return null;
}

function isWord(value: unknown): boolean {
  return isText(value, MAX_WORD_LENGTH) && value.trim() !== '' && isStorable(value);
}

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && [...value].length <= maxLength;
}
