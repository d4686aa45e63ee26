import { readFileSync } from 'node:fs';
import type { EnvironmentReader } from '../environment';
import type { Plan } from './plans';

/** The graph's Int holds what a month gives together with all that an account may have been given. */
const MAX_MONTHLY_CREDITS = 100_000_000;
const MAX_JOBS = 10_000;

/** The plans of the file that SAUTI_PLANS names, from the smallest to the largest; null when it names none. */
export function readPlans(reader: EnvironmentReader): Plan[] | null {
  const file = reader.text('SAUTI_PLANS');
  if (file === null) return null;
  try {
    return checkedPlans(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    reader.fault(`SAUTI_PLANS must name a file with plans (docs/credits.md): ${(error as Error).message}`);
    return null;
  }
}

/** Throws an error that names the first thing that is wrong. */
export function checkedPlans(value: unknown): Plan[] {
  if (!Array.isArray(value) || value.length === 0) throw new Error('it has to be a list of at least one plan.');
  const plans = value.map((plan: unknown, index) => checkedPlan(plan, `plan ${index + 1}`));
  const twice = plans.find(({ id }, index) => plans.findIndex((other) => other.id === id) !== index);
  if (twice) throw new Error(`two plans have the id "${twice.id}".`);
  return plans;
}

function checkedPlan(value: unknown, which: string): Plan {
  const { id, name, monthlyCredits, maxConcurrentJobs } = (value ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || !/^[a-z][a-z0-9-]{0,31}$/.test(id))
    throw new Error(`the "id" of ${which} has to be 1 to 32 small letters, digits and hyphens.`);
  if (typeof name !== 'string' || name.trim() === '' || name.length > 100)
    throw new Error(`the "name" of ${which} has to be 1 to 100 characters.`);
  return {
    id,
    name,
    monthlyCredits: wholeNumber(monthlyCredits, { min: 0, max: MAX_MONTHLY_CREDITS }, `"monthlyCredits" of ${which}`),
    maxConcurrentJobs: wholeNumber(maxConcurrentJobs, { min: 1, max: MAX_JOBS }, `"maxConcurrentJobs" of ${which}`),
  };
}

function wholeNumber(value: unknown, { min, max }: { min: number; max: number }, what: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Error(`${what} has to be a whole number from ${min} to ${max}.`);
}
