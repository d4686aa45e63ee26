import type { RenditionResolvers } from '../resolvers-types.generated';
import { PRESETS } from '../transcoding/presets';
import { renditionUrl } from '../transcoding/renditions';

export const Rendition: RenditionResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownRendition.load(id),
  name: ({ preset }) => PRESETS[preset].name,
  file: ({ fileId }) => ({ id: fileId }),
  url: (rendition, _args, { links }) => renditionUrl(rendition, links),
};
