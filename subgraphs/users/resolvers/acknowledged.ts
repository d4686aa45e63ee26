import { UserProblemError, type UserProblem } from '../../../platform/errors';

/** The payload of a mutation that has nothing to tell but that it was done. */
export async function acknowledged(work: () => Promise<void>): Promise<{ ok: boolean; errors: UserProblem[] }> {
  try {
    await work();
    return { ok: true, errors: [] };
  } catch (error) {
    if (error instanceof UserProblemError) return { ok: false, errors: [error.problem as UserProblem] };
    throw error;
  }
}
