import { byId, type Rules } from '../rule';

export const FILES_RULES: Rules = { 'Query.file.id': byId('files', 'file', 'id name', 'fil') };
