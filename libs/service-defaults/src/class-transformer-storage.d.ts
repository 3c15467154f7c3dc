/** Types of class-transformer's metadata storage, which its main file does not export. */
declare module 'class-transformer/cjs/storage.js' {
  export { defaultMetadataStorage } from 'class-transformer/types/storage.js';
}
