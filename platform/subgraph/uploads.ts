import { GraphQLUpload, Upload, type FileUpload } from 'graphql-upload-minimal';

/**
 * The value of an `Upload` variable on its way from the gateway to a subgraph in the same process. Between processes
 * the same class is filled by graphql-upload-minimal's multipart parser (see `serve.ts`).
 */
export { GraphQLUpload, Upload, type FileUpload };
