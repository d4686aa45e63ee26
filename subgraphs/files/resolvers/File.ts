import type { FileResolvers } from '../resolvers-types.generated';

export const File: FileResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownFile.load(id),
  size: (file) => file.sizeBytes,
  owner: (file) => ({ id: file.ownerId }),
  download: (file, { expiresIn, disposition }, { files }) => files.link(file, expiresIn, disposition),
};
