import { scalars } from '../../../platform/subgraph/scalars';
import { GraphQLUpload } from '../../../platform/subgraph/uploads';
import type { Resolvers } from '../resolvers-types.generated';
import { File } from './File';
import { uploadFile } from './Mutation/uploadFile';
import { file } from './Query/file';
import { files } from './Query/files';

export const resolvers: Resolvers = {
  Query: { file, files },
  Mutation: { uploadFile },
  File,
  DateTime: scalars.DateTime,
  Long: scalars.Long,
  URL: scalars.URL,
  Upload: GraphQLUpload,
};
