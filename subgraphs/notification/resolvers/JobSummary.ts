import type { JobSummaryResolvers } from '../resolvers-types.generated';
import { jobStub, subjectStub } from './stubs';

export const JobSummary: JobSummaryResolvers = {
  subject: ({ subjectId }) => subjectStub(subjectId),
  job: ({ jobId, kind }) => jobStub(jobId, kind),
};
