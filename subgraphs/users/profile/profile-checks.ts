import { problem } from '../input';

const MAX_NAME_LENGTH = 100;
/** Older than anybody who lives. */
const FIRST_BIRTH_DATE = '1900-01-01';

/** A name without white space around it, composed (NFC). Throws INVALID_INPUT unless it has 1 to 100 characters. */
export function checkedName(text: string, field: string): string {
  const name = text.trim().normalize('NFC');
  const length = [...name].length;
  if (length < 1 || length > MAX_NAME_LENGTH || !isStorable(name)) {
    throw problem(
      'INVALID_INPUT',
      `${field} has 1 to ${MAX_NAME_LENGTH} characters and no control characters; this one has ${length}.`,
      field,
    );
  }
  return name;
}

/** Like {@link checkedName}, for a name that may be missing: null and a blank are no name. */
export function checkedOptionalName(text: string | null, field: string): string | null {
  return text === null || text.trim() === '' ? null : checkedName(text, field);
}

/** A BCP 47 tag in its canonical form. Throws INVALID_INPUT. */
export function checkedLocale(tag: string): string {
  try {
    return Intl.getCanonicalLocales(tag)[0]!;
  } catch {
    throw problem(
      'INVALID_INPUT',
      `"${tag.slice(0, 40)}" is not a BCP 47 language tag such as "en" or "pt-BR".`,
      'locale',
    );
  }
}

/** The name of an IANA time zone, in its own case. Throws INVALID_INPUT. */
export function checkedTimeZone(name: string): string {
  try {
    const resolved = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
    // Corrects the case only: ICU also resolves names to older ones, such as Asia/Kolkata to Asia/Calcutta.
    return resolved.toLowerCase() === name.toLowerCase() ? resolved : name;
  } catch {
    throw problem(
      'INVALID_INPUT',
      `"${name.slice(0, 40)}" is not an IANA time zone such as "Africa/Nairobi".`,
      'timeZone',
    );
  }
}

/** The day, at midnight UTC. Throws INVALID_INPUT for what is no day of the calendar, or not before `now`. */
export function checkedBirthDate(text: string, now: Date): Date {
  const day = new Date(`${text}T00:00:00.000Z`);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(day.getTime()) && dayOf(day) === text;
  if (isDay && text >= FIRST_BIRTH_DATE && text < dayOf(now)) return day;
  throw problem(
    'INVALID_INPUT',
    `A birth date is written YYYY-MM-DD, is in the past and not before ${FIRST_BIRTH_DATE}; "${text.slice(0, 40)}" is not.`,
    'birthDate',
  );
}

/** `YYYY-MM-DD` of an instant, in UTC. */
export function dayOf(instant: Date): string {
  return instant.toISOString().slice(0, 10);
}

/** PostgreSQL takes no NUL in text, and control characters in names only serve to deceive. */
export function isStorable(text: string): boolean {
  return !/[\p{Cc}\p{Cs}]/u.test(text);
}
