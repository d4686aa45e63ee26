import { byId, mutation, type Belongings, type Rule, type Rules } from '../rule';

const change = (
  name: string,
  input: string,
  shown: string,
  kind: keyof Belongings,
  inputOf: (id: string, own: Belongings) => object,
): Rule => mutation('users', name, input, shown, kind, inputOf);

const audited = (filter: 'actorId' | 'subjectId'): Rule => ({
  kind: 'usr',
  subgraph: 'users',
  document: 'query Read($filter: AuditFilter) { auditLog(filter: $filter) { nodes { action } } }',
  variables: (id) => ({ filter: { [filter]: id } }),
  administrator: 'as owner',
  administratorsOnly: true,
});

export const USERS_RULES: Rules = {
  'Query.user.id': { ...byId('users', 'user', 'id profile { displayName }', 'usr'), administrator: 'as owner' },
  'Query.auditLog.filter.actorId': audited('actorId'),
  'Query.auditLog.filter.subjectId': audited('subjectId'),
  'Mutation.endSessions.input.sessionId': change('endSessions', 'EndSessionsInput', 'ended', 'ses', (sessionId) => ({
    sessionId,
  })),
  'Mutation.confirmTotp.input.factorId': change(
    'confirmTotp',
    'ConfirmTotpInput',
    'user { id }',
    'mfp',
    (factorId) => ({ factorId, code: '000000' }),
  ),
  'Mutation.removeMfaFactor.input.id': change('removeMfaFactor', 'IdInput', 'user { id }', 'mfa', (id) => ({ id })),
  'Mutation.unlinkIdentity.input.id': change('unlinkIdentity', 'IdInput', 'user { id }', 'idn', (id) => ({ id })),
  'Mutation.revokeApiKey.input.id': change('revokeApiKey', 'IdInput', 'user { id }', 'key', (id) => ({ id })),
  'Mutation.updateProfile.input.avatarFileId': change(
    'updateProfile',
    'UpdateProfileInput',
    'user { id }',
    'fil',
    (avatarFileId) => ({ avatarFileId }),
  ),
  'Mutation.grantCredits.input.userId': {
    ...change('grantCredits', 'GrantCreditsInput', 'account { balance }', 'usr', (userId) => ({
      userId,
      credits: 5,
      note: 'Thanks.',
      idempotencyKey: `grant-${Math.random()}`,
    })),
    administrator: 'as owner',
    administratorsOnly: true,
  },
  'Mutation.updateUserAccess.input.userId': {
    ...change('updateUserAccess', 'UpdateUserAccessInput', 'user { id }', 'usr', (userId) => ({
      userId,
      roles: ['CREATOR'],
      reason: 'Publishes.',
    })),
    administrator: 'as owner',
    administratorsOnly: true,
  },
};
